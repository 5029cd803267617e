/** What we write we read back as the same: on rules put together from the lines of fixtures/extensions, and on broken ones. */

import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRuleset } from '../../src/save/read.ts'
import { writeRuleset } from '../../src/save/write.ts'
import { readExtensionCases } from '../extension-cases.ts'

const FOLDER = 'fixtures/extensions'
const families = ['ipv4', 'ipv6'] as const
type Family = (typeof families)[number]

/** The rules of all fixtures of a family as iptables-legacy saves them. */
const saved = (family: Family): readonly string[] =>
  readdirSync(FOLDER)
    .filter(file => file.endsWith(family === 'ipv4' ? '.t' : '.v6.t') && (family === 'ipv6' || !file.endsWith('.v6.t')))
    .flatMap(file => readExtensionCases(`${FOLDER}/${file}`).cases.filter(one => one.backend === 'legacy').flatMap(one => one.saved ?? []))
    .filter(line => !isUnreadable(line))

/**
 * What iptables-save prints and iptables-restore refuses or reads as something else: the base of shifted ports that SNAT forgets as 0,
 * rates below 16 bytes, no days at all (or what is left of all without day 0), masks of nodes above 32, one comparison for two rates,
 * every index of IPComp, names with blanks that stand without quotes, what RATEEST makes of an interval without a unit (`--rateest-interval 8`).
 */
const UNREADABLE = [
  /\d\/0$/m, / 0b\/s/, / --(month|week)days {2}/, /days \d+(,\d+){30} /, /nodemask 0x(?!000000[01]|00000020)/, /(--rateest-[lge][tq]) .*\1 /,
  /-m ipcomp(?! --ipcompspi)/, / --rateest-interval 250\.0ms --rateest-ewmalog (?!500\.0ms)/, / --(name|hashlimit-name|genre) [^-\s]+ [^-!\s]/,
]

function isUnreadable(text: string): boolean {
  return UNREADABLE.some(pattern => pattern.test(text))
}

/** Rules that have up to three matches of the fixtures, and a target of theirs. */
function rules(family: Family): fc.Arbitrary<string> {
  const lines = saved(family)
  const matches = lines.map(line => /-m .*?(?= -[jg] |$)/.exec(line)?.[0] ?? '').filter(match => match !== '')
  const targets = lines.map(line => /(^| )(-[jg] .*)$/.exec(line)?.[2] ?? '')
  const addresses = family === 'ipv4' ? ['', '-s 10.0.0.0/8', '! -d 192.0.2.1/32', '-s 10.0.0.5/255.0.0.255 -i eth+'] : ['', '-s 2001:db8::/32', '! -d ::1/128 -o lo']
  return fc
    .tuple(fc.constantFrom(...addresses), fc.constantFrom('-p tcp', '-p udp', '! -p tcp'), fc.array(fc.constantFrom(...matches), { maxLength: 3 }), fc.constantFrom(...targets))
    .map(([address, protocol, given, target]) => [address, protocol, ...given, target].filter(part => part !== '').join(' '))
}

function writeRead(text: string, family: Family): string {
  return writeRuleset(readRuleset([{ path: 'generated', text }], { family, counters: false }).value)
}

const inTable = (rule: string): string => `*filter\n:FORWARD DROP [0:0]\n:user - [0:0]\n-A FORWARD ${rule}\nCOMMIT\n`

describe('write and read', () => {
  for (const family of families) {
    test(`${family}: canonical rules are written back as they are`, () => {
      fc.assert(fc.property(rules(family), rule => {
        const once = writeRead(inTable(rule), family)
        expect(writeRead(once, family)).toBe(once)
        expect(once).toContain(`-A FORWARD ${rule}`)
      }), { numRuns: 500 })
    })

    test(`${family}: broken rules never throw, and what is read of them is stable`, () => {
      fc.assert(fc.property(rules(family), fc.nat(200), fc.nat(4), fc.string({ maxLength: 4 }), (rule, at, cut, more) => {
        // iptables-save prints names of devices and sets as they are: one with a blank, which takes a quote to write, is not read again.
        const once = writeRead(inTable(rule.slice(0, at) + more.replaceAll('"', '') + rule.slice(at + cut)), family)
        fc.pre(!isUnreadable(once))
        expect(writeRead(once, family)).toBe(once)
      }), { numRuns: 1000 })
    })
  }
})
