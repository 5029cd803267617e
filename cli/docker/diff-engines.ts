/** `5x5 docker --diff-engines OLD NEW`: what another release of the engine changes in meaning, for the same compose file. */

import { diffRulesets } from '../../src/analyze/diff.ts'
import type { Ruleset } from '../../src/ir/ruleset.ts'
import type { Family } from '../../src/net/address.ts'
import { engineChanges, writeChanges } from '../../src/report/engine-diff.ts'
import type { EngineChange } from '../../src/report/engine-diff.ts'
import { plain } from '../../src/report/paint.ts'
import { writeDiagnostics } from '../../src/report/pretty.ts'
import { commandError, EXIT } from '../command.ts'
import type { FlagValues, Terminal } from '../command.ts'
import { composeWorld } from './compose-world.ts'
import type { ComposeWorld } from './compose-world.ts'
import { engineNamed, readComposeHost } from './read-compose.ts'

/** One compose file and two releases. */
export interface EngineDiff {
  readonly path: string
  readonly releases: readonly [string, string]
  readonly daemon: string | undefined
  readonly base: readonly Ruleset[]
  /** Both where it is absent. */
  readonly family: Family | undefined
  readonly values: FlagValues
}

/** Prints the difference; returns the exit code. */
export function diffEngines(job: EngineDiff, { out, paint, directory }: Terminal): number {
  const { releases, family: only, values } = job
  const before = worldOf(job, releases[0], directory)
  const after = worldOf(job, releases[1], directory)
  const families: readonly Family[] = only ? [only] : ['ipv4', 'ipv6']
  const found = families.map(family => ({ family, ...changesOf(before, after, family) }))
  if (values['json'] === true) out(`${JSON.stringify(Object.fromEntries(found.map(({ family, changes, isWhole }) => [family, { equal: changes.length === 0 && isWhole, whole: isWhole, changes }])), undefined, 2)}\n`)
  else out(found.map(({ family, changes, isWhole }) => `${paint('strong', NAMES[family])}\n\n${writeChanges(changes, { releases, isWhole, all: values['all'] === true }, paint)}`).join('\n'))
  return found.every(({ changes, isWhole }) => changes.length === 0 && isWhole) ? EXIT.clean : EXIT.findings
}

const NAMES = { ipv4: 'IPv4', ipv6: 'IPv6' } as const

function worldOf({ path, daemon, base }: EngineDiff, release: string, directory: string): ComposeWorld {
  const { value, diagnostics } = readComposeHost({ path, engine: engineNamed(release), daemon, directory })
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw commandError(`the compose file \`${path}\` cannot be used with engine ${release}`, writeDiagnostics(errors, plain).trimEnd())
  return composeWorld(value, base, { folder: `${release}/` })
}

/** Both are compared on the host of the newer release: what each sets in the kernel beside its rules is not compared. */
function changesOf(before: ComposeWorld, after: ComposeWorld, family: Family): { readonly changes: readonly EngineChange[]; readonly isWhole: boolean } {
  const of = ({ rules, rulesets }: ComposeWorld) => ({ ruleset: rulesets.find(one => one.family === family), lines: rules.find(one => one.family === family)?.lines ?? [] })
  const [old, now] = [of(before), of(after)]
  const [namespace] = after.topology.namespaces
  if (!old.ruleset || !now.ruleset) return { changes: [], isWhole: true }
  const diff = diffRulesets({ before: old.ruleset, after: now.ruleset, ...(namespace ? { namespace } : {}) })
  return { changes: engineChanges(diff, { before: old.lines, after: now.lines }), isWhole: diff.isWhole }
}
