/**
 * Policies and the rules that they become: fixtures/policy/compile/NAME.gate with what `5x5 compile` prints, fixtures/policy/tested/NAME.gate with what `5x5 test` prints, the gateway of fixtures/policy/gateway
 * with what `5x5 compile` and `5x5 test` print, and plans from live rules.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkRuleset } from '../src/extensions/check-ruleset.ts'
import { compilePolicy, countAll } from '../src/policy/compile.ts'
import type { CompiledPolicy } from '../src/policy/compile.ts'
import { lineEdits } from '../src/policy/line-edits.ts'
import { planIpsets } from '../src/policy/plan-ipsets.ts'
import { planChanges } from '../src/policy/plan.ts'
import { resolvePolicy } from '../src/policy/resolve.ts'
import type { ResolvedPolicy } from '../src/policy/resolved.ts'
import { toRuleset } from '../src/policy/to-ruleset.ts'
import { writeRestore } from '../src/policy/write-restore.ts'
import type { Ruleset } from '../src/ir/ruleset.ts'
import { eachRule } from '../src/ir/ruleset.ts'
import { makeSpace, reachableSets } from '../src/symbolic/reachable-sets.ts'
import { readTopology } from '../src/topology/load.ts'
import { readRuleset } from '../src/save/read.ts'
import { printedBy } from './printed-by.ts'

const COMPILE = 'fixtures/policy/compile'
const TESTED = 'fixtures/policy/tested'
const GATEWAY = 'fixtures/policy/gateway'
const FAMILIES = ['ipv4', 'ipv6'] as const

const cases = readdirSync(COMPILE).filter(name => name.endsWith('.gate'))

describe.each(cases)('%s', name => {
  const { policy, compiled } = compileFile(join(COMPILE, name))

  test('its rules', async () => {
    await expect(await printedBy(['compile', name], COMPILE)).toMatchFileSnapshot(join('..', COMPILE, name.replace(/\.gate$/, '.expected.txt')))
  })

  test.each(['legacy', 'nft'] as const)('%s would load them', backend => {
    for (const family of FAMILIES) {
      const errors = checkRuleset(toRuleset(compiled.rules[family], policy.zones), { backend }).filter(({ severity }) => severity === 'error')
      expect(errors.map(({ message }) => message)).toEqual([])
    }
  })

  test('what is written reads back to the same rules', () => {
    for (const family of FAMILIES) {
      const { diagnostics } = readRuleset([{ path: name, text: withDockerUser(writeRestore(compiled.rules[family])) }], { family })
      expect(diagnostics.filter(({ severity }) => severity === 'error').map(({ message }) => message)).toEqual([])
    }
  })

  test('a plan from the rules themselves has nothing to do', () => {
    for (const family of FAMILIES) expect(planChanges(compiled.rules[family], asLive(compiled, policy, family)).text).toBe('')
  })
})

test.each(readdirSync(TESTED).filter(name => name.endsWith('.gate')))('5x5 test %s', async name => {
  await expect(await printedBy(['test', name], TESTED)).toMatchFileSnapshot(join('..', TESTED, name.replace(/\.gate$/, '.expected.txt')))
})

describe('the gateway', () => {
  const { policy, compiled } = compileFile(join(GATEWAY, 'gateway.gate'))

  test('needs no more rules than were written by hand', () => {
    expect(countAll(compiled)).toBeLessThanOrEqual(60)
  })

  test('its rules', async () => {
    await expect(await printedBy(['compile', 'gateway.gate'], GATEWAY)).toMatchFileSnapshot(join('..', GATEWAY, 'compiled.expected.txt'))
  })

  test.each([
    ['tested.expected.txt', ['gateway.gate']],
    ['tested-live.expected.txt', ['gateway.gate', '--topology', 'topology.yaml', '--live', 'docker.rules']],
    ['wrong.expected.txt', ['wrong.gate', '--topology', 'topology.yaml', '--live', 'docker.rules']],
  ])('5x5 test: %s', async (name, words) => {
    await expect(await printedBy(['test', ...words], GATEWAY)).toMatchFileSnapshot(join('..', GATEWAY, name))
  })

  test('every rule that decides has packets to decide', () => {
    const [namespace] = readTopology({ path: 'topology.yaml', text: readFileSync(join(GATEWAY, 'topology.yaml'), 'utf8') }).value.namespaces
    for (const family of FAMILIES) {
      const docker = family === 'ipv4' ? readRuleset([{ path: 'docker.rules', text: readFileSync(join(GATEWAY, 'docker.rules'), 'utf8') }], { family }).value : undefined
      const ruleset = toRuleset(compiled.rules[family], policy.zones, docker)
      const space = makeSpace({ family, rulesets: [ruleset], ...(namespace ? { namespace } : {}) })
      const decided = new Set((['arrive', 'make'] as const).flatMap(start => (['new', 'established', 'reply', 'related'] as const).flatMap(state => reachableSets(space, ruleset, { start, state }).decisions.flatMap(({ by }) => (by.kind === 'rule' ? [by.rule.id] : [])))))
      const dead: string[] = []
      eachRule(ruleset, (rule, number, chain) => {
        const decides = rule.target?.kind === 'target' && ['ACCEPT', 'DROP', 'DNAT', 'MASQUERADE'].includes(rule.target.name)
        if (chain.name.startsWith('gate-') && decides && !decided.has(rule.id)) dead.push(`${family} ${chain.name} ${number}`)
      })
      expect(dead).toEqual([])
    }
  })

  test('a hook that is doubled goes, one that is there stays, and foreign rules are not touched', () => {
    const doubled = ['*filter', ':gate-old - [0:0]', ':fail2ban - [0:0]', '-A INPUT -j fail2ban', '-A INPUT -j gate-old', '-A INPUT -m comment --comment "gateway.gate" -j gate-in', '-A INPUT -m comment --comment "gateway.gate" -j gate-in', ':gate-in - [0:0]', 'COMMIT', '']
    const live = readRuleset([{ path: 'live', text: doubled.toSorted((a, b) => Number(b.startsWith('*') || b.startsWith(':')) - Number(a.startsWith('*') || a.startsWith(':'))).join('\n') }], { family: 'ipv4' }).value
    const { text } = planChanges(compiled.rules.ipv4, live)
    expect(text.split('\n').filter(line => / (INPUT|gate-old)\b/.test(line))).toEqual(['-D INPUT -j gate-old', '-D INPUT -m comment --comment "gateway.gate" -j gate-in', '-F gate-old', '-X gate-old'])
    expect(text).not.toContain('fail2ban')
  })

  test('one sentence more is one line more', () => {
    const text = readFileSync(join(GATEWAY, 'gateway.gate'), 'utf8')
    const more = compileText(`${text}allow tcp/9000 from wan to fw\n`)
    const { text: plan, changes } = planChanges(more.compiled.rules.ipv4, asLive(compiled, policy, 'ipv4'))
    expect({ changes, lines: plan.split('\n').filter(line => line.startsWith('-')) }).toEqual({
      changes: 1, lines: ['-I gate-in 12 -i eth0 -p tcp -m tcp --dport 9000 -m comment --comment "gateway.gate:36" -j ACCEPT'],
    })
  })
})

describe('ipsets', () => {
  const { compiled } = compileText(`zone lan = eth1\nlet many = ${Array.from({ length: 20 }, (_, index) => `192.0.2.${index * 2}`).join(', ')}\nallow from many to lan\n`)
  const sets = compiled.rules.ipv4.ipsets
  const name = sets[0]?.name ?? ''
  const saved = (elements: readonly string[], kind = 'hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1'): string => [`create ${name} ${kind}`, ...elements.map(element => `add ${name} ${element}`), 'create fail2ban hash:ip family inet hashsize 64 maxelem 9', 'add fail2ban 192.0.2.9', ''].join('\n')
  const elements = sets[0]?.prefixes.map(({ address }) => `192.0.2.${Number(address) & 255}`) ?? []

  test('the same elements need nothing, in whatever order', () => {
    expect(planIpsets(sets, saved(elements.toReversed()))).toEqual({ text: '', changes: 0, obsolete: [] })
  })

  test('single elements are added and removed', () => {
    expect(planIpsets(sets, saved([...elements.slice(1), '198.51.100.0/24'])).text).toBe(`del ${name} 198.51.100.0/24\nadd ${name} 192.0.2.0\n`)
  })

  test('a set that is missing, of another type or too small is filled beside the live one', () => {
    for (const live of ['', saved(elements, 'hash:ip family inet hashsize 64 maxelem 65536'), saved(elements, 'hash:net family inet hashsize 64 maxelem 4')]) {
      expect(planIpsets(sets, live).text).toContain(`swap gate-new ${name}\n`)
    }
  })

  test('a set of an earlier policy can go, those of others stay', () => {
    expect(planIpsets(sets, `${saved(elements)}create gate-old-4 hash:net family inet hashsize 64 maxelem 65536\n`).obsolete).toEqual(['gate-old-4'])
  })
})

test('the fewest edits of lines', () => {
  const kinds = (old: string, wanted: string): string => (lineEdits([...old], [...wanted], 100) ?? []).map(edit => (edit.kind === 'keep' ? '.' : edit.kind === 'delete' ? `-${edit.line}` : `+${edit.line}`)).join('')
  expect(kinds('abcabba', 'cbabac').replaceAll('.', '').length).toBe(10)
  expect(kinds('', 'ab')).toBe('+a+b')
  expect(kinds('ab', '')).toBe('-a-b')
  expect(kinds('abc', 'abc')).toBe('...')
  expect(lineEdits(['a', 'b', 'c'], ['x', 'y', 'z'], 3)).toBeUndefined()
})

interface Compiled {
  readonly policy: ResolvedPolicy
  readonly compiled: CompiledPolicy
}

function compileFile(path: string): Compiled {
  return compileText(readFileSync(path, 'utf8'), path)
}

function compileText(text: string, path = 'gateway.gate'): Compiled {
  const { value, diagnostics } = resolvePolicy({ path, text }, () => ({ problem: 'nothing is included' }))
  if (!value) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
  return { policy: value, compiled: compilePolicy(value) }
}

/** The rules as a save would show them. */
function asLive({ rules }: CompiledPolicy, policy: ResolvedPolicy, family: 'ipv4' | 'ipv6'): Ruleset {
  return toRuleset(rules[family], policy.zones)
}

/** Chains of others that the rules lead into. */
function withDockerUser(text: string): string {
  return text.replace('*filter\n', '*filter\n:DOCKER-USER - [0:0]\n')
}
