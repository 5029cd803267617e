/** Texts -> findings: reads them, finds out which belong together, and lints each. */

import type { SourceFile } from '../diagnostics/source-file.ts'
import { isIgnored, levelIn } from './settings.ts'
import type { LintConfig } from './settings.ts'
import type { LintedFile } from './lint-report.ts'
import type { LintSurroundings } from './lint-rule.ts'
import { counterpartOf, readTarget, siblingsOf } from './read-target.ts'
import type { ReadHow } from './read-target.ts'
import { lintRuleset } from './run-lint.ts'

/** How to lint. `configPath` turns a source's path into one relative to the configuration. */
export interface LintHow {
  readonly read: ReadHow
  readonly surroundings: Omit<LintSurroundings, 'counterpart' | 'siblings'>
  readonly config: LintConfig
  readonly configPath: (path: string) => string
  readonly only?: readonly string[]
  /** Told before each step. */
  readonly onStep?: (number: number, total: number, words: string) => void
}

/** The findings of each file, and how many were suppressed. */
export interface LintedSources {
  readonly files: readonly LintedFile[]
  readonly suppressed: number
}

/** Lints texts, each a ruleset of its own. Those that the configuration ignores are left out. */
export function lintSources(sources: readonly SourceFile[], how: LintHow): LintedSources {
  const { config, configPath, only, onStep } = how
  const chosen = sources.filter(({ path }) => !isIgnored(config, configPath(path)))
  const targets = chosen.map((source, index) => {
    onStep?.(index + 1, chosen.length, `reading ${source.path}`)
    return readTarget(source, how.read)
  })
  let suppressed = 0
  const files = targets.map((target, index): LintedFile => {
    const source = chosen[index] ?? { path: '', text: '' }
    onStep?.(index + 1, chosen.length, `linting ${source.path}`)
    const counterpart = counterpartOf(target, targets)
    const path = configPath(source.path)
    const result = lintRuleset(target, {
      surroundings: { ...how.surroundings, siblings: siblingsOf(target, targets), ...(counterpart ? { counterpart } : {}) },
      levelOf: code => levelIn(config, path, code),
      ...(only ? { only } : {}),
    })
    suppressed += result.suppressed.length
    return { source, partial: target.ruleset.partial, ruleCount: target.ruleset.ruleCount, findings: result.findings, undecided: result.undecided }
  })
  return { files, suppressed }
}
