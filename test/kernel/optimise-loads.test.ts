/** What optimise writes for the rulesets of fixtures/optimise, ipsets included, is loaded by the real programs of both backends. */

import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { writeIpsets } from '../../src/analyze/optimise/make-ipsets.ts'
import { optimiseRuleset, STEPS } from '../../src/analyze/optimise/optimise.ts'
import { readRuleset } from '../../src/save/read.ts'
import { writeRuleset } from '../../src/save/write.ts'
import { kernel } from './live.ts'
import { run, tryRun } from './shell.ts'

const FOLDER = 'fixtures/optimise'
const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter(name => /\.rules6?$/.test(name))

describe.skipIf(!kernel().live).each(['legacy', 'nft'] as const)('%s', backend => {
  test.each(files)('%s', name => {
    const { value } = readRuleset([{ path: name, text: readFileSync(`${FOLDER}/${name}`, 'utf8') }], { family: name.endsWith('6') ? 'ipv6' : 'ipv4', backend })
    const { ruleset, ipsets } = optimiseRuleset(value, { steps: new Set(STEPS), ipsetThreshold: 4, backend })
    const text = writeRuleset(ruleset, { backend, tableOrder: 'file', counters: true })
    const namespace = `5x5o-${process.pid}-${backend}-${files.indexOf(name)}`
    run(`ip netns add ${namespace}`)
    try {
      if (ipsets.length > 0) run(`ip netns exec ${namespace} ipset restore`, writeIpsets(ipsets))
      const program = `ip netns exec ${namespace} ${value.family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}`
      run(`${program}-restore --test`, text)
      run(`${program}-restore --counters`, text)
      const live = readRuleset([{ path: 'live', text: run(`${program}-save -c`) }], { family: value.family, backend })
      expect(writeRuleset(live.value, { backend, counters: true, tableOrder: 'file' })).toBe(writeRuleset(ruleset, { backend, counters: true }))
    } finally {
      tryRun(`ip netns delete ${namespace}`)
    }
  })
})
