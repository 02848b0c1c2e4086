import { encodeData, encodeThrown, type Outcome, RpcError } from '@token-socket/protocol'

/** What a client is told that the application refuses. Data that is no JSON is left out. */
export function encodedRefusal(error: RpcError): Outcome {
  const outcome = encodeThrown(error)
  try {
    encodeData(outcome)
    return outcome
  } catch {
    return encodeThrown(new RpcError(error.code))
  }
}
