import { execFile } from 'node:child_process'
import { expect } from 'chai'
import { progress, readNumber, shares, summary } from '../../scripts/model-report.mjs'

function run(...options: readonly string[]): Promise<{ code: unknown; output: string; error: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['scripts/model.mjs', ...options], (failure, output, error) =>
      resolve({ code: failure?.code ?? 0, output, error }),
    )
  })
}

describe('npm run model', () => {
  it('plays all seeds in its workers, and says so', async function () {
    this.timeout(60_000)
    const { code, output } = await run('--seeds', '5', '--first', '7', '--workers', '2')
    expect(output).to.match(/^5 histories from seed 7: 0 wrong, \d+ s$/m)
    expect(code).to.equal(0)
  })

  it('plays the model of authorisations', async function () {
    this.timeout(60_000)
    const { code, output } = await run('authorization', '--count', '5', '--seed', '7', '--workers', '1')
    expect(output).to.match(/^5 histories from seed 7: 0 wrong, \d+ s$/m)
    expect(code).to.equal(0)
  })

  it('says which models there are', async () => {
    const { code, error } = await run('weather')
    expect([code, error]).to.deep.equal([
      2,
      'a model has to be one of subscription, authorization, not weather\n',
    ])
  })

  it('says what is wrong with an option', async () => {
    for (const [option, text] of [
      ['seeds', 'abc'],
      ['seeds', '0'],
      ['first', '-1'],
      ['workers', '1.5'],
    ]) {
      const { code, error } = await run(`--${option}=${text}`)
      expect([code, error.includes(`--${option}`), error.includes(`"${text}"`)]).to.deep.equal([
        2,
        true,
        true,
      ])
    }
    expect(readNumber('first', '0', 0)).to.equal(0)
  })

  it('gives each worker a share, and none twice', () => {
    for (const [seeds, workers] of [
      [100_000, 2],
      [7, 3],
      [1, 4],
      [5, 4],
    ] as const) {
      const all = shares(3, seeds, workers).flatMap(({ first, seeds: count }) =>
        Array.from({ length: count }, (_, index) => first + index),
      )
      expect(all).to.deep.equal(Array.from({ length: seeds }, (_, index) => 3 + index))
    }
  })

  it('tells how far it is, which seeds failed, and how to play one again', () => {
    const state = { first: 0, seeds: 1000, done: 250, failures: [70, 8], seconds: 12.4, died: false }
    expect(progress(state)).to.equal('250 of 1000 histories (25 %), 2 wrong, 12 s')
    expect(summary({ ...state, done: 1000 })).to.deep.equal([
      '1000 histories from seed 0: 2 wrong, 12 s',
      'Wrong: seeds 8, 70',
      'Play one again: npm run model -- --seeds 1 --first 8',
    ])
    expect(summary({ ...state, model: 'authorization' }).at(-1)).to.equal(
      'Play one again: npm run model -- authorization --seeds 1 --first 8',
    )
    const ten = Array.from({ length: 10 }, (_, index) => index)
    expect(summary({ ...state, failures: ten }).at(-1)).to.equal('It stops after 10 wrong histories.')
    expect(summary({ ...state, failures: [], died: true })[1]).to.include('A worker ended before its time')
  })
})
