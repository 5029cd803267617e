/** Files that are given to the wrong command. */

import type { SourceFile } from '../src/diagnostics/source-file.ts'
import { commandError } from './command.ts'

/** Refuses rulesets where something else is wanted (`a policy`): read as that, every line of theirs would be a finding. */
export function refuseRulesets(sources: readonly SourceFile[], wanted: string, help: string): void {
  const ruleset = sources.find(({ text }) => /^\*(?:filter|nat|mangle|raw|security)[ \t\r]*$/m.test(text))
  if (ruleset) throw commandError(`\`${ruleset.path}\` is a ruleset, not ${wanted}`, help)
}
