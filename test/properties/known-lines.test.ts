/**
 * A line that is known without being read is what it would be if it were read: the same findings, the same rules, the same numbers for
 * rules that say the same. Two blanks before the name of a chain make the reader read a line word by word, so every text is read both ways.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { positionAt } from '../../src/diagnostics/source-file.ts'
import { checkRuleset } from '../../src/extensions/check-ruleset.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { readRuleset } from '../../src/save/read.ts'
import { writeRuleset } from '../../src/save/write.ts'

const CORPORA = '../shared/corpora/rulesets'

describe('known lines', () => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    test(`${family}: right, odd and wrong values`, () => {
      fc.assert(fc.property(fc.array(line(family), { minLength: 2, maxLength: 30 }), lines => compare(inTables(lines), family)), { numRuns: 400 })
    })
  }

  test('the saves of the fixtures', () => {
    for (const file of filesIn('fixtures/save')) compare(readFileSync(file, 'utf8'), file.includes('v6') ? 'ipv6' : 'ipv4')
  })

  test.skipIf(!existsSync(CORPORA))('the rulesets of the corpora', () => {
    for (const file of filesIn(CORPORA).filter(name => /\.rules6?$/.test(name))) {
      const text = readFileSync(file, 'utf8')
      if (text.length < 400_000) compare(text, file.endsWith('6') ? 'ipv6' : 'ipv4')
    }
  })

  test('most lines of a long chain are known', () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `-A INPUT -s 10.0.${index >> 8}.${index & 255}/32 -p tcp -m tcp --dport ${index} -j ACCEPT`)
    const { value } = readRuleset([{ path: 'made', text: `*filter\n${lines.join('\n')}\nCOMMIT\n` }])
    const digest = value.tables[0]?.chainByName.get('INPUT')?.digest
    expect(digest?.kinds.length).toBe(1)
    expect(new Set(digest?.marks).size).toBe(1000)
  })
})

function compare(text: string, family: Family): void {
  const known = readBoth(text, family)
  const read = readBoth(text.replace(/^((?:\[\d+:\d+\] )?-A) (?=\S)/gm, '$1  '), family)
  expect(known.findings).toEqual(read.findings)
  expect(known.written).toEqual(read.written)
  expect(sameMarks(known.value)).toEqual(sameRules(known.value))
}

function readBoth(text: string, family: Family) {
  const { value, diagnostics } = readRuleset([{ path: 'text', text }], { family })
  const findings = [...diagnostics, ...checkRuleset(value)].map(({ code, severity, message, span, backend, related }) => {
    return [positionAt(span.source, span.start).line, code, severity, backend, message, related.length].join(' ')
  })
  return { value, findings: findings.sort(), written: writeRuleset(value, { counters: true }) }
}

/** Which rules of each chain have equal marks: for each the first with its mark. */
function sameMarks(ruleset: Ruleset): unknown {
  return ruleset.tables.map(({ chains }) => chains.map(({ digest }) => digest?.marks?.map(mark => digest.marks?.indexOf(mark))))
}

/** Which rules of each chain say the same but for comments. */
function sameRules(ruleset: Ruleset): unknown {
  return ruleset.tables.map(table => table.chains.map(chain => {
    if (!chain.digest?.marks) return undefined
    const texts = writeRuleset({ ...ruleset, tables: [{ ...table, chains: [chain] }] }).split('\n').filter(line => line.startsWith('-A ')).map(line => line.replace(/ -m comment --comment ([-\w]+|"(\\.|[^"\\])*")/g, ''))
    return texts.map(line => texts.indexOf(line))
  }))
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile()).map(entry => `${entry.parentPath}/${entry.name}`)
}

function inTables(lines: readonly string[]): string {
  return ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD DROP [0:0]', ':user - [0:0]', ':LOG - [0:0]', ...lines, 'COMMIT', '*nat', ...lines.filter(line => !line.includes('FORWARD')), 'COMMIT', ''].join('\n')
}

const from = (...words: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...words)

/** Lines of few shapes with values of all spellings, so that most shapes come again. */
function line(family: Family): fc.Arbitrary<string> {
  const address =
    family === 'ipv4'
      ? from('10.0.0.1', '10.0.0.1/32', '10.0.0.0/8', '10.0.0.1/8', '0.0.0.0/0', '10.1', '10.0.0.1/33', '256.0.0.1', '010.0.0.1', '10.0.0.1/255.0.0.0', '1.2.3.4,5.6.7.8', 'localhost', '192.168.7.0/24')
      : from('2001:db8::1', '2001:db8::1/128', '2001:db8::/32', '2001:db8::1/32', '2001:DB8::1', '2001:db8:0:0:0:0:0:1', '::/0', '::1', '::ffff:1.2.3.4', '::1.2.3.4', '::102:304', '1:0:0:2::3', '1:0:0:2:0:0:0:3', '1::2:0:0:0:3', 'fe80::/10', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '1::2::3', '12345::')
  const port = from('80', '080', '443', '1024:2048', '2048:1024', '0:65535', ':80', '80:', '65535', '65536', 'http', '5:5', '0')
  const device = from('eth0', 'eth+', '+', 'br-0123456789ab', 'a-name-too-long-0', 'wg0.5', '-x', '!')
  const text = from('plain', '"two words"', '"a \\" quote"', '-m', '!', '"-j"', '""', 'x'.repeat(256), '"open')
  const nat = family === 'ipv4' ? from('10.0.0.1', '10.0.0.1:80', '10.0.0.1-10.0.0.9', ':80', '10.0.0.1:80-90', '10.0.0.1:http') : from('2001:db8::1', '[2001:db8::1]:80')
  const list = from('80,443', '80', '1:2,3', '80,http', '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15', '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16', '1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16', '5:5', '70000')
  const mac = from('00:11:22:aa:bb:cc', '00:11:22:AA:BB:CC', '0:11:22:aa:bb:cc', '00:11:22:aa:bb')
  const range = from('10.0.0.1-10.0.0.9', '10.0.0.9-10.0.0.1', '10.0.0.1', '10.0.0.1-10.0.0.300')
  const chain = from('INPUT', 'FORWARD', 'user')
  const not = from('', '', '! ')
  const target = from('ACCEPT', 'user', 'LOG', 'nowhere', 'INPUT', 'RETURN')
  const counters = from('', '', '[1:2] ', '[1 :2] ', '[12345678901234567890123:1] ')
  const start = fc.tuple(counters, chain).map(([before, name]) => `${before}-A ${name} `)
  return fc.oneof(
    fc.tuple(start, not, address, target).map(([a, b, c, d]) => `${a}${b}-s ${c} -j ${d}`),
    fc.tuple(start, not, address, not, port, target).map(([a, b, c, d, e, f]) => `${a}${b}-d ${c} -p tcp -m tcp ${d}--dport ${e} -j ${f}`),
    fc.tuple(start, port, port, target).map(([a, b, c, d]) => `${a}-p udp --sport ${b} ! --dport ${c} -j ${d}`),
    fc.tuple(start, not, device, device, target).map(([a, b, c, d, e]) => `${a}${b}-i ${c} -o ${d} -j ${e}`),
    fc.tuple(start, text, target).map(([a, b, c]) => `${a}-m comment --comment ${b} -j ${c}`),
    fc.tuple(start, text, address, target).map(([a, b, c, d]) => `${a}-s ${c} -m comment --comment ${b} -g ${d}`),
    fc.tuple(start, nat).map(([a, b]) => `${a}-p tcp -j DNAT --to-destination ${b}`),
    fc.tuple(start, list, target).map(([a, b, c]) => `${a}-p tcp -m multiport --dports ${b} -j ${c}`),
    fc.tuple(start, mac, target).map(([a, b, c]) => `${a}-m mac --mac-source ${b} -j ${c}`),
    fc.tuple(start, range, target).map(([a, b, c]) => `${a}-m iprange --src-range ${b} -j ${c}`),
    fc.tuple(start, address, target).map(([a, b, c]) => `${a}-j ${c} -s ${b}`),
  )
}
