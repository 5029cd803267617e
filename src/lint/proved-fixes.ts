/** Safe fixes that hold: the text with them is read again, and what it says is proved to be the same. */

import type { SourceFile } from '../diagnostics/source-file.ts'
import type { Backend } from '../ir/hooks.ts'
import { applyFixes } from './apply-fixes.ts'
import { readTarget } from './read-target.ts'
import type { ReadHow } from './read-target.ts'
import type { Finding } from './run-lint.ts'
import { isSameMeaning } from './same-meaning.ts'

/** The findings, in which a safe fix without a proof is a suggestion only, and those that this is about. */
export interface ProvedFixes {
  readonly findings: readonly Finding[]
  readonly unproved: readonly Finding[]
}

/** Proves the safe fixes of a source, together where it can be: what holds is told from what does not by halving. */
export function provedFixes(source: SourceFile, findings: readonly Finding[], how: ReadHow): ProvedFixes {
  const proved = new Set<Finding>()
  const unproved = new Set<Finding>()
  const add = (candidates: readonly Finding[]): void => {
    if (candidates.length === 0) return
    if (isProved(source, [...proved], candidates, how)) {
      for (const finding of candidates) proved.add(finding)
      return
    }
    const [only] = candidates
    if (candidates.length === 1 && only) unproved.add(only)
    else for (const half of [candidates.slice(0, candidates.length >> 1), candidates.slice(candidates.length >> 1)]) add(half)
  }
  add(findings.filter(({ fix }) => fix?.kind === 'safe'))
  return { findings: findings.map(finding => (unproved.has(finding) ? asSuggestion(finding) : finding)), unproved: [...unproved] }
}

function asSuggestion(finding: Finding): Finding {
  return finding.fix ? { ...finding, fix: { ...finding.fix, kind: 'suggestion' } } : finding
}

/** Each step is proved against the one before it. A backend that was not named may be either. */
function isProved(source: SourceFile, before: readonly Finding[], more: readonly Finding[], how: ReadHow): boolean {
  const withFixes = (findings: readonly Finding[]): string => applyFixes(source, findings, ['safe']).text
  const old = readTarget({ path: source.path, text: withFixes(before) }, how)
  const now = readTarget({ path: source.path, text: withFixes([...before, ...more]) }, { ...how, family: old.family })
  const errors = ({ problems }: typeof old): number => problems.filter(({ severity }) => severity === 'error').length
  const backends: readonly Backend[] = how.backend ? [how.backend] : ['legacy', 'nft']
  return errors(now) <= errors(old) && backends.every(backend => isSameMeaning(old.ruleset, now.ruleset, backend))
}
