/** Sentences about rules: every rule of fixtures/extensions has one, and the words of predicates keep their sense. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { eachRule } from '../src/ir/ruleset.ts'
import { effectsInWords } from '../src/meaning/effects-in-words.ts'
import { inWords, packetsInWords } from '../src/meaning/in-words.ts'
import { all, always, any, equals, hasAnyBit, masked, never, not, onDevice, opaque, within } from '../src/meaning/predicate.ts'
import type { Predicate } from '../src/meaning/predicate.ts'
import { ruleInWords } from '../src/report/explain.ts'
import { readRuleset } from '../src/save/read.ts'
import { readExtensionCases } from './extension-cases.ts'

const FOLDER = 'fixtures/extensions'

test.each(readdirSync(FOLDER).filter(name => name.endsWith('.t')))('every rule of %s has a sentence', name => {
  const { family, cases } = readExtensionCases(join(FOLDER, name))
  for (const { table, chain, saved } of cases) {
    for (const words of saved ?? []) {
      const { value } = readRuleset([{ path: name, text: `*${table}\n-A ${chain} ${words}\nCOMMIT\n` }], { family })
      eachRule(value, rule => expect(ruleInWords(rule, family).replace(/`.*`/, '...'), words).toMatch(/^(?!.*(undefined|NaN|\[object|  ))[a-z]+,? .*[^ ,]$/))
    }
  }
})

const isTcp = equals('ip.protocol', 6)
const isSsh = equals('l4.dport', 22)
const onEth0 = onDevice('device.in', { name: 'eth0', prefix: false })
const isNew = hasAnyBit('ct.state', 2)

describe('packets', () => {
  test.each<[Predicate, string]>([
    [always, 'all packets'],
    [never, 'no packet'],
    [all([isTcp, isSsh, isNew, onEth0]), 'new tcp connections to port 22 that arrive on eth0'],
    [all([isTcp, not(isSsh)]), 'tcp packets to any port but 22'],
    [all([not(isSsh), not(equals('l4.dport', 80))]), 'packets to any port but 22 and 80'],
    [any([isSsh, within('l4.dport', 80, 90)]), 'packets to ports 22 or 80-90'],
    [not(all([isTcp, onEth0])), 'packets that are not tcp packets or do not arrive on eth0'],
    [any([all([isTcp, onEth0]), isSsh]), 'packets that either are tcp packets and arrive on eth0, or go to port 22'],
    [any([isTcp, not(isTcp)]), 'all packets'],
    [all([isTcp, not(isTcp)]), 'no packet'],
    [all([isNew, any([not(masked('ct.state', 17, 0)), masked('ct.state', 17, 0)])]), 'new connections'],
    [all([isSsh, equals('ip.fragmentOffset', 0)]), 'packets to port 22'],
    [all([within('ip.src', 1, 2), within('ip.src', 2, 3)]), 'packets from 0.0.0.1-0.0.0.2 that come from 0.0.0.2-0.0.0.3'],
    [all([not(masked('ip.dst', 0xff000000, 0x0a000000)), isSsh]), 'packets to port 22 of any host but 10.0.0.0/8'],
    [all([masked('ip.dst', 0xff000000, 0x0a000000), isSsh]), 'packets to 10.0.0.0/8 port 22'],
    [all([masked('ip.dst', 0xff000000, 0x0a000000), not(isSsh)]), 'packets to any port but 22 of 10.0.0.0/8'],
    [all([hasAnyBit('addressType.dst', 4), isSsh]), 'packets to port 22 of a local address'],
    [all([isTcp, not(masked('tcp.flags', 2, 0))]), 'tcp packets with SYN set'],
    [masked('mark', 0xf, 0), 'packets with bits 0xf of the mark clear'],
    [not(opaque('key', '-m limit')), 'packets that do not match `-m limit`'],
  ])('%j', (predicate, words) => expect(packetsInWords(predicate)).toBe(words))

  test('as a clause', () => {
    expect(inWords(all([isSsh, onEth0]))).toBe('go to port 22 and arrive on eth0')
    expect(inWords(always)).toBe('are any')
  })
})

describe('effects', () => {
  test('what goes without saying is not said', () => {
    const nat = { kind: 'nat', side: 'source', addresses: { kind: 'outDevice' } } as const
    expect(effectsInWords([nat, { kind: 'verdict', verdict: 'accept' }], 'all packets')).toBe('gives the address of the output device as source to all packets')
  })

  test('one after the other', () => {
    const mark = { kind: 'assign', field: 'mark', clear: 0xffffffff, flip: 1 } as const
    expect(effectsInWords([mark, { kind: 'verdict', verdict: 'accept' }], 'udp packets')).toBe('sets mark 0x1 on udp packets and accepts them')
  })
})
