/** Every policy of fixtures/policy/compile is loaded by the real programs, both families and both backends, and a plan from what they save has nothing to do. */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compilePolicy } from '../../src/policy/compile.ts'
import { planChanges } from '../../src/policy/plan.ts'
import { resolvePolicy } from '../../src/policy/resolve.ts'
import { writeIpsets, writeRestore } from '../../src/policy/write-restore.ts'
import { readRuleset } from '../../src/save/read.ts'
import { kernel } from './live.ts'

const FOLDER = 'fixtures/policy/compile'
const FAMILIES = ['ipv4', 'ipv6'] as const
const DOCKER = '*filter\n:DOCKER-USER - [0:0]\n-A FORWARD -j DOCKER-USER\nCOMMIT\n'

describe.skipIf(!kernel().live).each(['legacy', 'nft'] as const)('%s', backend => {
  test.each(readdirSync(FOLDER).filter(name => name.endsWith('.gate')))('%s', name => {
    const { value } = resolvePolicy({ path: name, text: readFileSync(`${FOLDER}/${name}`, 'utf8') }, () => ({ problem: 'nothing is included' }))
    if (!value) throw new Error(`${name} has errors`)
    const { rules } = compilePolicy(value)
    const namespace = `5x5l-${process.pid}-${backend}-${name.replace('.gate', '')}`
    run(['ip', 'netns', 'add', namespace])
    try {
      const inside = (words: readonly string[], input = ''): string => run(['ip', 'netns', 'exec', namespace, ...words], input)
      const ipsets = [...rules.ipv4.ipsets, ...rules.ipv6.ipsets]
      if (ipsets.length > 0) inside(['ipset', 'restore'], writeIpsets(ipsets))
      inside([`iptables-${backend}-restore`, '--noflush'], DOCKER)
      for (const family of FAMILIES) {
        const program = `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}`
        inside([`${program}-restore`, ...(value.managesAll ? [] : ['--noflush'])], writeRestore(rules[family]))
        const live = readRuleset([{ path: 'live', text: inside([`${program}-save`]) }], { family, backend })
        expect(planChanges(rules[family], live.value).text).toBe('')
      }
    } finally {
      spawnSync('ip', ['netns', 'delete', namespace])
    }
  })
})

function run([program = '', ...words]: readonly string[], input = ''): string {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', input })
  if (status !== 0) throw new Error(`\`${program} ${words.join(' ')}\` failed: ${stderr}`)
  return stdout
}
