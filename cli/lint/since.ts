/** `--since GITREF`: the files as they were committed, read from git. */

import { spawnSync } from 'node:child_process'
import { relative, resolve } from 'node:path'
import type { SourceFile } from '../../src/diagnostics/source-file.ts'
import type { LintedFile } from '../../src/lint/lint-report.ts'
import { commandError } from '../command.ts'

const MOST_BYTES = 1 << 30

/** Returns the committed versions of files; those that were not there are left out. A ref that git does not know is a `commandError`. */
export function committedSources(ref: string, sources: readonly SourceFile[], directory: string): readonly SourceFile[] {
  const top = git(['rev-parse', '--show-toplevel'], directory)
  if (top === undefined) throw commandError('`--since` needs a git repository', 'run it within one')
  if (ref.startsWith('-') || git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], directory) === undefined) throw commandError(`git knows no commit \`${ref}\``, 'in a shallow clone fetch it first: `git fetch origin BRANCH`, or check out with full history')
  return sources.flatMap(({ path }) => {
    const inside = relative(top.trim(), resolve(directory, path))
    const text = inside.startsWith('..') ? undefined : git(['show', `${ref}:${inside.replaceAll('\\', '/')}`], top.trim())
    return text === undefined ? [] : [{ path, text }]
  })
}

/** Returns the files with what the change brought: findings that the earlier version does not have as often. */
export function onlyNew(files: readonly LintedFile[], earlier: readonly LintedFile[]): readonly LintedFile[] {
  return files.map(file => {
    const before = earlier.find(({ source }) => source.path === file.source.path)
    const known = new Set(before?.findings.map(({ fingerprint }) => fingerprint))
    return { ...file, findings: file.findings.filter(({ fingerprint, code }) => !known.has(fingerprint) || code === 'lock-out') }
  })
}

function git(words: readonly string[], directory: string): string | undefined {
  const { status, stdout, error } = spawnSync('git', [...words], { cwd: directory, encoding: 'utf8', maxBuffer: MOST_BYTES, stdio: ['ignore', 'pipe', 'ignore'] })
  if (error && 'code' in error && error.code === 'ENOENT') throw commandError('`--since` needs git, and it is not installed')
  return status === 0 ? stdout : undefined
}
