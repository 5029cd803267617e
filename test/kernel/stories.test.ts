/**
 * The stories of fixtures/stories/ in the simulator and on the real kernel: each attempt is told the same. Live where the kernel can be
 * asked, which also checks the recordings (`recorded/NAME.json`); elsewhere those are replayed. `-u` records anew.
 */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { applyChange } from '../../src/topology/apply-change.ts'
import { kernel } from './live.ts'
import { simulateAttempt } from './simulate-attempt.ts'
import { readStories } from './story.ts'
import type { Story } from './story.ts'
import { change, forget, makeTopologyLab, removeTopologyLab } from './topology-lab.ts'

const live = kernel().live && spawnSync('python3', ['-c', '']).status === 0

describe.each(readStories())('$name', story => {
  const expected = story.steps.flatMap(step => (step.attempt ? [step.expect] : []))

  test('in the simulator', () => {
    expect(simulate(story)).toEqual(expected)
  })

  test(live ? 'on the kernel' : 'as recorded', async () => {
    const path = `${process.cwd()}/fixtures/stories/recorded/${story.name}.json`
    if (live) {
      const told = await play(story)
      await expect(`${JSON.stringify(told, undefined, 2)}\n`).toMatchFileSnapshot(path)
      expect(told).toEqual(expected)
    } else expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(expected)
  })
})

/** Every attempt meets a world that remembers nothing, as the lab is made to forget. */
function simulate({ topology, steps }: Story): readonly string[] {
  let current = topology
  return steps.flatMap(step => {
    for (const command of step.do) {
      const changed = applyChange(current, command)
      if (!changed.ok) throw new Error(`\`${command.command}\`: ${changed.problem}`)
      current = changed.value
    }
    return step.attempt ? [simulateAttempt(current, step.attempt).told] : []
  })
}

async function play({ topology, steps }: Story): Promise<readonly string[]> {
  const lab = await makeTopologyLab(topology)
  try {
    const told: string[] = []
    for (const { do: commands, attempt } of steps) {
      for (const { namespace, command } of commands) change(lab, namespace, command.replace(/^(ip6?tables) /, '$1-legacy '))
      forget(lab)
      if (attempt) told.push((await lab.actors.get(attempt.namespace)?.attempt(attempt)) ?? 'no such namespace')
    }
    return told
  } finally {
    removeTopologyLab(lab)
  }
}
