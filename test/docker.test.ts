/**
 * Docker hosts of our own: fixtures/docker/hosts (compose file and engine, with the rules it writes) and fixtures/docker/broken (what
 * is said of a compose file that is wrong, or that will surprise).
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { askInput } from '../cli/docker/ask-input.ts'
import { hostRules, readBase } from '../cli/docker/host-rules.ts'
import { readEngine } from '../src/docker/engine.ts'
import { findSurprises } from '../src/docker/findings.ts'
import { readHost } from '../src/docker/read-host.ts'
import type { HostReading } from '../src/docker/read-host.ts'
import { plain } from '../src/report/paint.ts'
import { writeDiagnostics } from '../src/report/pretty.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRuleset } from '../src/save/write.ts'

const HOSTS = 'fixtures/docker/hosts'
const BROKEN = 'fixtures/docker/broken'

describe.each(readdirSync(HOSTS))('host %s', folder => {
  const path = `${HOSTS}/${folder}/compose.yaml`
  const reading = read(path)
  const basePath = `${HOSTS}/${folder}/host.rules`
  const base = existsSync(basePath) ? readBase([basePath], process.cwd()) : []

  test('is sound', () => {
    expect(reading.diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([])
  })

  test.each(hostRules(reading.value, base))('$source.path', async ({ family, lines, source }) => {
    await expect(source.text).toMatchFileSnapshot(`${process.cwd()}/${HOSTS}/${folder}/${source.path}`)
    const { value, diagnostics } = readRuleset([source], { family })
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(writeRuleset(value, { tableOrder: 'file' })).toBe(source.text)
    for (const { step } of lines) if (step) expect(step.reason).toMatch(/^[a-z].*[^.]$/)
  })

  test('what is said', async () => {
    const said = [...reading.diagnostics, ...findSurprises(reading.value, reading.plan, base.length === 0 ? undefined : askInput(reading.value, base))]
    await expect(said.length === 0 ? 'nothing\n' : writeDiagnostics(said, plain, true)).toMatchFileSnapshot(`${process.cwd()}/${HOSTS}/${folder}/said.txt`)
  })
})

describe.each(readdirSync(BROKEN).filter(name => name.endsWith('.yaml')))('broken %s', name => {
  test('what is said', async () => {
    const reading = read(`${BROKEN}/${name}`)
    const isSound = reading.diagnostics.every(({ severity }) => severity !== 'error')
    const said = [...reading.diagnostics, ...(isSound ? findSurprises(reading.value, reading.plan) : [])]
    expect(said).not.toEqual([])
    await expect(writeDiagnostics(said, plain, true)).toMatchFileSnapshot(`${process.cwd()}/${BROKEN}/${name.replace('.yaml', '.txt')}`)
  })
})

/** `# engine RELEASE` in the first line; 29 without. */
function read(path: string): HostReading {
  const text = readFileSync(path, 'utf8')
  const engine = readEngine(/^# engine (\S+)/.exec(text)?.[1] ?? '29')
  if (!engine) throw new Error(`${path} names no release of the engine`)
  return readHost({ compose: { path, text }, engine, directory: 'project' })
}
