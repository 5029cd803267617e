/** A policy file of a command line: read with what it includes, resolved and compiled. */

import { dirname, join, resolve } from 'node:path'
import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import { byPlace } from '../../src/extensions/check-ruleset.ts'
import { startCompilation } from '../../src/policy/compile.ts'
import type { CompiledPolicy } from '../../src/policy/compile.ts'
import { outlinePolicy } from '../../src/policy/resolve.ts'
import type { ReadInclude } from '../../src/policy/resolve.ts'
import type { Assertion, PolicyFrame, Sentence } from '../../src/policy/resolved.ts'
import { count } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { commandError, isCommandError } from '../command.ts'
import type { Terminal } from '../command.ts'
import { readSources } from '../input.ts'
import { refuseForPolicy } from '../wrong-file.ts'

/** A policy with its rules; these are absent where the text has errors. */
export interface LoadedPolicy {
  readonly path: string
  /** The policy and what it includes. */
  readonly sources: readonly SourceFile[]
  readonly policy?: PolicyFrame & { readonly assertions: readonly Assertion[] }
  readonly compiled?: CompiledPolicy
  readonly diagnostics: readonly Diagnostic[]
}

/** Is shown each sentence once; who needs them later keeps them. */
export type VisitSentence = (sentence: Sentence) => void

/** Reads the only policy of a command line and compiles it. */
export function loadPolicy(paths: readonly string[], command: string, directory: string, visit?: VisitSentence): LoadedPolicy {
  const [path, ...more] = paths
  if (path === undefined) throw commandError('which policy?', `usage: 5x5 ${command} POLICY`)
  if (more.length > 0) throw commandError(`one policy at a time: \`${more[0]}\` is one too many`, 'a policy can include others: `include "other.gate"`')
  const [source] = readSources([path], directory)
  if (source) refuseForPolicy(source)
  return loadPolicySource(source ?? { path, text: '' }, directory, visit)
}

/** Reads a policy with what it includes from the disk, and compiles it. */
export function loadPolicySource(source: SourceFile, directory: string, visit?: VisitSentence): LoadedPolicy {
  const { path } = source
  const { files, frame, eachSentence } = outlinePolicy(source, includer(directory))
  const sources = files.map(file => file.source)
  const compilation = startCompilation(frame)
  const { assertions, diagnostics } = eachSentence(sentence => {
    compilation.add(sentence)
    visit?.(sentence)
  })
  if (!assertions) return { path, sources, diagnostics: diagnostics.toSorted(byPlace) }
  const compiled = compilation.finish()
  const all = [...diagnostics, ...compiled.diagnostics].toSorted(byPlace)
  return all.some(({ severity }) => severity === 'error') ? { path, sources, diagnostics: all } : { path, sources, policy: { ...frame, assertions }, compiled, diagnostics: all }
}

/** Included files are named as seen from the file that includes them. */
function includer(directory: string): ReadInclude {
  return (name, from) => {
    const path = join(dirname(from.path), name)
    try {
      const [source] = readSources([path], directory)
      return source ?? { problem: `\`${name}\` cannot be read` }
    } catch (error) {
      if (!isCommandError(error)) throw error
      return { problem: (error.message.split('\n')[0] ?? '').replace(`\`${path}\``, `\`${name}\``) }
    }
  }
}

/** Prints what there is to say about a policy to standard error, and ends with a sentence where it cannot be used. */
export function printPolicyDiagnostics({ path, policy, diagnostics }: LoadedPolicy, { err, paintErr }: Terminal): void {
  const text = writeDiagnostics(diagnostics, paintErr)
  if (text !== '') err(`${text}\n`)
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length
  if (!policy) err(`${count(errors, 'error')} in ${path}: no rules are made\n`)
}

/** Returns where a command writes files. */
export function outputDirectory(value: unknown, directory: string): string | undefined {
  return typeof value === 'string' ? resolve(directory, value) : undefined
}
