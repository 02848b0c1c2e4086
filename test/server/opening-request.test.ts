import { expect } from 'chai'
import { warnOfCredentials } from '#server/socket/opening-request.js'

describe('warnOfCredentials', () => {
  it('warns of each header that holds credentials, and of no other', () => {
    const lines: unknown[] = []
    const logger = { warn: (details: object, text: string) => void lines.push([details, text]) }
    warnOfCredentials(logger, { connectionHeaders: ['cookie', 'Authorization', 'user-agent'] })
    warnOfCredentials(logger, {})
    expect(lines).to.have.length(2)
    expect(lines.map((line) => (line as [{ header: string }])[0].header)).to.deep.equal([
      'cookie',
      'authorization',
    ])
    expect(String((lines[0] as unknown[])[1])).to.match(
      /^connectionHeaders keeps a header that holds credentials/,
    )
  })
})
