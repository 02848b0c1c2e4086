import { encodeData, encodeThrown, type Outcome, RpcError } from '@token-socket/protocol'

/** Encodes an application's refusal for the client. Data that is no JSON is left out. */
export function encodedRefusal(error: RpcError): Outcome {
  const outcome = encodeThrown(error)
  try {
    encodeData(outcome)
    return outcome
  } catch {
    return encodeThrown(new RpcError(error.code))
  }
}
