import SockJS from 'sockjs-client'

/** SockJS as a part of the same script. @returns its constructor */
export async function loadSockJS(): Promise<unknown> {
  return SockJS
}
