/** What 5x5 verify needs of the machine: root, the programs, and how they are called. */

import { spawnSync } from 'node:child_process'
import type { Backend } from '../../src/ir/hooks.ts'
import type { Family } from '../../src/net/address.ts'
import { commandError } from '../command.ts'

/** Runs a program; a failure is a `commandError` with what it printed. Returns its standard output. */
export function run(words: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = attempt(words, input)
  if (status === 0) return stdout
  throw commandError(`\`${words.join(' ')}\` failed`, stderr.trim() || error)
}

/** Runs a program and returns how it ended. */
export function attempt(words: readonly string[], input = ''): { readonly status: number | null; readonly stdout: string; readonly stderr: string; readonly error: string } {
  const [program = '', ...rest] = words
  const { status, stdout, stderr, error } = spawnSync(program, rest, { input, encoding: 'utf8', env: machineEnvironment(), maxBuffer: 1 << 30 })
  return { status, stdout: stdout ?? '', stderr: stderr ?? '', error: error?.message ?? '' }
}

/** Administrators' programs are not on everybody's path. */
export function machineEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' }
}

/** Throws a `commandError` that says what is missing, and of what use it would be. */
export function requireMachine(backend: Backend, families: readonly Family[]): void {
  if (process.platform !== 'linux') throw commandError('5x5 verify asks a Linux kernel, and this machine has none')
  if (process.getuid?.() !== 0) throw commandError('5x5 verify makes network namespaces, which only root may do', 'run it with sudo; it changes nothing outside of its own namespaces and removes them')
  if (attempt(['ip', '-V']).status !== 0) throw commandError('`ip` is not installed: 5x5 verify makes its namespaces with it', 'it is in the package iproute2')
  for (const family of families) {
    for (const program of [restoreProgram(backend, family), saveProgram(backend, family)]) {
      if (attempt([program, '--version']).status !== 0) throw commandError(`\`${program}\` is not installed`, `\`--backend ${backend === 'legacy' ? 'nft' : 'legacy'}\` asks the other backend`)
    }
  }
}

/** Returns the program that loads rules. */
export function restoreProgram(backend: Backend, family: Family): string {
  return `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}-restore`
}

/** Returns the program that prints rules. */
export function saveProgram(backend: Backend, family: Family): string {
  return `${family === 'ipv4' ? 'iptables' : 'ip6tables'}-${backend}-save`
}
