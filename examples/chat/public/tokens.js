/** Asks the application's back end for a token. A new chat's id comes with it. */
export async function requestToken({ uid, session }) {
  const response = await fetch('/tokens', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uid, session }),
  })
  if (!response.ok)
    throw Object.assign(new Error(`There was no token: ${response.status}.`), { status: response.status })
  return response.json()
}
