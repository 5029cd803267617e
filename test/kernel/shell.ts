/** Commands of this machine, run at once; one that fails throws with what it said. */

import { spawnSync } from 'node:child_process'

/** Runs a shell command and returns what it printed. */
export function run(command: string, input?: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', ...(input === undefined ? {} : { input }) })
  if (status !== 0) throw new Error(`\`${command}\` failed: ${stderr}`)
  return stdout
}

/** Runs a command that may fail. */
export function tryRun(command: string): void {
  spawnSync('sh', ['-c', command])
}
