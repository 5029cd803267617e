/** Recorded flows of real rulesets: what the kernel did, rule by rule, is what the simulator does. */

import { describe, expect, test } from 'vitest'
import { readRuleset } from '../src/save/read.ts'
import { readGvisorCases, readKubeCases } from './corpora/case-files.ts'
import { compareFlow, compareSomeWay } from './corpora/compare-flow.ts'
import type { Memories } from './corpora/compare-flow.ts'
import { readFlowFiles, rulesetText, topologyOf } from './corpora/flow-files.ts'

const files = readFlowFiles()

describe('recorded flows', () => {
  test.skipIf(files.length === 0)(`single packets through ${files.length} real rulesets`, () => {
    const counts = { same: 0, open: 0, different: 0 }
    const open = new Map<string, number>()
    const differences: string[] = []
    for (const file of files) {
      const family = file.family === 4 ? 'ipv4' : 'ipv6'
      const { value } = readRuleset([{ path: file.ruleset_file, text: rulesetText(file) }], { family })
      const topology = topologyOf(file)
      const memories: Memories = new Map()
      for (const [index, recorded] of file.packets.entries()) {
        const result = compareFlow(recorded, value, topology, memories)
        counts[result.kind] += 1
        if (result.kind === 'open') for (const name of result.because) open.set(name, (open.get(name) ?? 0) + 1)
        if (result.kind === 'different') differences.push(`${file.name} packet ${index}: ${result.what}`)
      }
    }
    const named = [...open].sort((one, other) => other[1] - one[1]).map(([name, count]) => `${name} ${count}`).join(', ')
    console.log(`recorded packets: ${counts.same} agree, ${counts.different} differ, ${counts.open} are open (${named})`)
    expect(differences.slice(0, 20)).toEqual([])
  }, 120_000)

  const cases = [['kube-proxy', readKubeCases()], ['gVisor', readGvisorCases()]] as const
  test.skipIf(files.length === 0).each(cases)("%s's own cases", (name, recordedCases) => {
    const differences = recordedCases.flatMap(({ name: title, file, ruleset, packet }) => {
      const { value } = readRuleset([{ path: title, text: ruleset }], { family: file.family === 4 ? 'ipv4' : 'ipv6' })
      const result = compareSomeWay(packet, value, topologyOf(file))
      return result.kind === 'different' ? [`${title}: ${result.what}`] : []
    })
    console.log(`${name}: ${recordedCases.length - differences.length} of ${recordedCases.length} recorded packets agree`)
    expect(differences.slice(0, 20)).toEqual([])
  })
})
