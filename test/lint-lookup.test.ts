/** The rules that the linter asks about a class of packets in a long chain: none that may match is left out. */

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { predicateOf } from '../src/extensions/meaning-of.ts'
import { tableNamed } from '../src/ir/ruleset.ts'
import type { Chain, Ruleset } from '../src/ir/ruleset.ts'
import { fateInChain } from '../src/lint/fate.ts'
import { exactly, holds } from '../src/lint/packet-class.ts'
import type { PacketClass } from '../src/lint/packet-class.ts'
import { rulesInQuestion } from '../src/lint/rule-lookup.ts'
import { readAddress } from '../src/net/address.ts'
import { readRuleset } from '../src/save/read.ts'
import { writeRule } from '../src/save/write-rule.ts'

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.1.1', '192.0.2.1']
const SOURCES = ['', '-s 10.0.0.1/32 ', '-s 10.0.0.0/24 ', '-s 10.0.0.0/8 ', '! -s 10.0.0.2/32 ', '-s 192.0.2.1/32 ']
const DESTINATIONS = SOURCES.map(words => words.replace('-s', '-d'))
const PORTS = ['', '-p tcp -m tcp --dport 22 ', '-p tcp -m tcp --sport 1024 ', '-p udp -m udp --dport 1:1024 ', '-p tcp -m tcp ! --dport 22 ', '-p tcp -m multiport --dports 22,80 ']
const TARGETS = ['-j ACCEPT', '-j DROP', '-j MARK --set-xmark 0x1/0xffffffff', '-m mark --mark 0x1 -j DROP', '-j inner', '-j RETURN']

const line = fc.tuple(fc.constantFrom(...SOURCES), fc.constantFrom(...DESTINATIONS), fc.constantFrom(...PORTS), fc.constantFrom(...TARGETS)).map(parts => `${parts.join('')}\n`)
const known = (values: readonly (number | bigint)[]) => fc.constantFrom(undefined, 'absent' as const, ...values.map(exactly), { low: values[0] ?? 0, high: values[1] ?? 0 })
const addresses = ADDRESSES.map(text => readAddress(text) ?? 0)

const classes = fc.record({ 'ip.src': known(addresses), 'ip.dst': known(addresses), 'l4.dport': known([22, 80, 1024]), 'l4.sport': known([1024, 40000]) })
  .map((fields): PacketClass => ({ family: 'ipv4', fields: Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)), devices: {} }))

const HEAD = '*mangle\n:PREROUTING ACCEPT [0:0]\n:inner - [0:0]\n:one - [0:0]\n:two - [0:0]\n'
const append = (chain: string, lines: readonly string[]): string => lines.map(words => `-A ${chain} ${words}`).join('')

function endingsIn(rules: string, packets: PacketClass): readonly string[] {
  const { ruleset, chain } = preroutingOf(rules)
  return fateInChain(ruleset, chain, packets).endings.map(({ verdict, by }) => `${verdict} ${by.kind === 'rule' ? writeRule(by.rule, 'ipv4') : 'by the policy'}`)
}

function preroutingOf(rules: string): { readonly ruleset: Ruleset; readonly chain: Chain } {
  const { value: ruleset, diagnostics } = readRuleset([{ path: 'lookup', text: `${HEAD}${rules}COMMIT\n` }])
  const chain = tableNamed(ruleset, 'mangle')?.chainByName.get('PREROUTING')
  if (!chain || diagnostics.some(({ severity }) => severity === 'error')) throw new Error(JSON.stringify(diagnostics.map(({ message }) => message)))
  return { ruleset, chain }
}

test('what is left out does not match, and what becomes of the packets is the same', () => {
  fc.assert(fc.property(fc.array(line, { minLength: 40, maxLength: 60 }), classes, (lines, packets) => {
    const inner = append('inner', lines.slice(0, 3).filter(text => !text.includes('inner')))
    const long = `${append('PREROUTING', lines)}${inner}`
    const { chain } = preroutingOf(long)
    const inQuestion = rulesInQuestion(chain, packets)
    if (!inQuestion) return
    expect(inQuestion).toEqual(inQuestion.toSorted((one, other) => one - other))
    chain.rules.forEach((rule, index) => {
      if (!inQuestion.includes(index)) expect(rule.matches.some(use => holds(predicateOf(use, 'ipv4'), packets) === false)).toBe(true)
    })
    // Chains of few rules are gone through rule by rule: the same rules in two halves.
    const halves = `-A PREROUTING -g one\n${append('one', [...lines.slice(0, 30), '-g two\n'])}${append('two', lines.slice(30))}${inner}`
    expect(endingsIn(halves, packets)).toEqual(endingsIn(long, packets))
  }), { numRuns: 100 })
})
