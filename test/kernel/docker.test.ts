/**
 * The hosts of fixtures/docker/live in the simulator and on the real kernel: a compose file's topology in network namespaces, with the
 * rules that are written for it, and real connections between containers, the host and a neighbour outside. Live where the kernel can
 * be asked, which also checks the recordings (`recorded/NAME.json`); elsewhere those are replayed. `-u` records anew.
 */

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { tryToReach } from '../../src/simulate/attempt.ts'
import { makeWorld } from '../../src/simulate/world.ts'
import { readDockerCase } from './docker-case.ts'
import type { DockerCase } from './docker-case.ts'
import { kernel } from './live.ts'
import { forget, makeTopologyLab, removeTopologyLab } from './topology-lab.ts'

const FOLDER = 'fixtures/docker/live'
const live = kernel().live && spawnSync('python3', ['-c', '']).status === 0

describe.each(readdirSync(FOLDER).filter(name => name.endsWith('.yaml')))('%s', file => {
  const dockerCase = readDockerCase(`${FOLDER}/${file}`)
  const expected = dockerCase.steps.map(({ text, told }) => `${text}: ${told}`)

  test('in the simulator', () => {
    expect(simulate(dockerCase)).toEqual(expected)
  })

  test(live ? 'on the kernel' : 'as recorded', async () => {
    const path = `${process.cwd()}/${FOLDER}/recorded/${file.replace('.yaml', '.json')}`
    if (live) {
      const told = await play(dockerCase)
      expect(told).toEqual(expected)
      await expect(`${JSON.stringify(told, undefined, 2)}\n`).toMatchFileSnapshot(path)
    } else expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(expected)
  }, 60_000)
})

/** Every attempt meets a world that remembers nothing, as the lab is made to forget. */
function simulate({ topology, rulesets, steps }: DockerCase): readonly string[] {
  const [main] = topology.namespaces
  return steps.map(({ text, attempt }) => {
    const world = makeWorld({ topology, rulesets: [], rulesetsOf: new Map([[main?.name ?? '', rulesets]]) })
    const host = world.hosts.get(attempt.namespace)
    if (!host) throw new Error(`there is no namespace ${attempt.namespace}`)
    return `${text}: ${tryToReach(world, attempt, host).told}`
  })
}

async function play({ topology, steps }: DockerCase): Promise<readonly string[]> {
  const lab = await makeTopologyLab(topology)
  try {
    const told: string[] = []
    for (const { text, attempt } of steps) {
      forget(lab)
      told.push(`${text}: ${await lab.actors.get(attempt.namespace)?.attempt(attempt)}`)
    }
    return told
  } finally {
    removeTopologyLab(lab)
  }
}
