/** iptables' own extension tests with what the real programs did: accepted or refused, and what the save shows, on both backends. */

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadOne } from './load-one.ts'

const CASES = '../shared/corpora/ext-tests/cases-verified.tsv'
const isPresent = existsSync(CASES)

/** What the machine of the recordings refused for lack of a kernel module or an object: the text cannot show it. */
const LACKING: readonly (readonly [words: RegExp, what: string])[] = [
  [/--match-set|-j SET/, 'no such ipset'],
  [/-m nfacct/, 'no such accounting object'],
  [/-m ipvs/, 'no module ipvs'],
  [/-j LED/, 'no module LED'],
  [/-j CLUSTERIP/, 'no module CLUSTERIP'],
  [/-j SECMARK/, 'no SELinux'],
]

describe.skipIf(!isPresent)(isPresent ? "iptables' own cases" : "iptables' own cases: not present", () => {
  test.each(['legacy', 'nft'] as const)('%s accepts, refuses and saves them as the real program did', backend => {
    const rows = readFileSync(CASES, 'utf8').trimEnd().split('\n').slice(1).map(line => line.split('\t'))
    const [result, save] = backend === 'legacy' ? [7, 8] : [9, 10]
    let lacking = 0
    const differing = rows.flatMap(row => {
      const [family, place = '', words = ''] = row
      const [table = '', chain = ''] = place.split('/')
      const ours = loadOne({ family: family === '6' ? 'ipv6' : 'ipv4', table, chain, words, backend })
      const real = row[result] === 'OK' ? row[save] : undefined
      if (ours.saved === real) return []
      if (real === undefined && LACKING.some(([pattern]) => pattern.test(words))) {
        lacking++
        return []
      }
      return [`${place} ${words}: ${real === undefined ? 'refused' : `saved as ${real}`}, but ours ${ours.saved === undefined ? `refuses it: ${ours.why}` : `saves ${ours.saved}`}`]
    })
    console.log(`${backend}: ${rows.length - differing.length - lacking} of ${rows.length} cases agree, ${lacking} lack a module or an object there`)
    expect(differing).toEqual([])
  })
})
