// A toy of an OpenID provider: it has users who are signed in, keys, and a button to sign out everywhere.

import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

/** This application's id at the provider. */
export const AUDIENCE = 'the-example'

export class Provider {
  issuer = 'https://provider.example'
  #key

  static async create() {
    const provider = new Provider()
    provider.#key = await generateKeyPair('ES256')
    return provider
  }

  /** The public keys, which a provider serves at its `jwks_uri`. */
  async keys() {
    return { keys: [{ ...(await exportJWK(this.#key.publicKey)), alg: 'ES256', use: 'sig' }] }
  }

  /** Tells an application that a user has signed out. @param url its back-channel logout URL */
  async signOut(sub, url) {
    const token = await new SignJWT({ events: { [EVENT]: {} } })
      .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt' })
      .setIssuer(this.issuer)
      .setAudience(AUDIENCE)
      .setSubject(sub)
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(this.#key.privateKey)
    const { status } = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    })
    return status
  }
}
