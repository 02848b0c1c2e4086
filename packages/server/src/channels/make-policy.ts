import { describeGiven } from '../runtime/given-value.js'
import type { Logger } from '../runtime/logger.js'
import { shorten } from '../runtime/shorten.js'
import type { ThrottledLog } from '../runtime/throttled-log.js'
import { Policy } from './policy.js'
import type { RuleAskerOwner, RuleQuestion } from './rule-asker.js'
import type { ChannelRuleTable } from './rule-table.js'

/** Dependencies of {@link makePolicy}. */
export interface PolicyParts extends Pick<RuleAskerOwner, 'failed'> {
  readonly channels: ChannelRuleTable
  readonly limits: { readonly vetoTimeout: number }
  readonly logger: Logger
  readonly log: ThrottledLog
}

const OPEN = 'there are no channel rules: any authenticated socket without claims may use any channel'
const UNCLEAR =
  'a function of a channel rule returned neither true nor false: only true allows. Return a text to give a reason'
const LATE = 'a function of a channel rule did not answer within limits.vetoTimeout: that counts as a no'

/** Makes what the rules allow. Says once in the log that every channel is open, if there are no rules. */
export function makePolicy({ channels, limits, logger, log, failed }: PolicyParts): Policy {
  const late = ({ rule, channel, sid }: RuleQuestion) =>
    log.write(`late rule ${rule}`, ['warn', { rule, channel: shorten(channel), sid }, LATE])
  const unclear = ({ rule, channel, sid }: RuleQuestion, answer: unknown) => {
    const details = { rule, channel: shorten(channel), sid, returned: describeGiven(answer) }
    log.write(`unclear rule ${rule}`, ['warn', details, UNCLEAR])
  }
  const policy = new Policy({ channels, timeout: limits.vetoTimeout, failed, late, unclear })
  if (policy.isOpen) logger.info({}, OPEN)
  return policy
}
