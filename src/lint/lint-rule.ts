/** What a lint rule is, what it may ask about a ruleset, and what it reports. */

import type { DeadReport } from '../analyze/dead.ts'
import type { Diagnostic, Fix, RelatedPlace, Severity, Witness } from '../diagnostics/diagnostic.ts'
import type { LintCode } from '../diagnostics/lint-code.ts'
import type { SourceFile, Span } from '../diagnostics/source-file.ts'
import type { Ruleset } from '../ir/ruleset.ts'
import type { Family, Prefix } from '../net/address.ts'
import type { Topology } from '../topology/topology.ts'
import type { ChainFacts } from './chain-facts.ts'
import type { KeepOpen } from './keep-open.ts'
import type { World } from './world.ts'

/** How grave the findings of a rule are; `off` where it is not asked. */
export type Level = Severity | 'off'

/** What was read from the file or files of one ruleset. */
export interface LintTarget {
  readonly sources: readonly SourceFile[]
  readonly ruleset: Ruleset
  readonly family: Family
  /** What reading and `check` found. */
  readonly problems: readonly Diagnostic[]
}

/** What comes from outside the ruleset; what is absent is not known. */
export interface LintSurroundings {
  /** `YYYY-MM-DD`. */
  readonly today: string
  readonly topology?: Topology
  /** Sources that may reach management ports. */
  readonly trusted: readonly Prefix[]
  /** Connections that must not be cut off. */
  readonly keepOpen: readonly KeepOpen[]
  /** The same host's ruleset of the other family. */
  readonly counterpart?: LintTarget
  /** Other rulesets of the same run that are of the same host and family. */
  readonly siblings: readonly LintTarget[]
}

/** What rules work on. What stands in `needs` of a rule is computed when a rule first asks for it, once for all rules. */
export interface LintInputs extends LintTarget, LintSurroundings {
  readonly chains: ChainFacts
  readonly world: World
  /** What does nothing, from the packet sets. */
  readonly dead: DeadReport
}

/**
 * What must be there for a rule to run: `whole` = every line was read and no chain loops, so that what is said about packets holds;
 * the others are parts of `LintInputs` that may be absent or empty.
 */
export type Need = 'whole' | 'topology' | 'counterpart' | 'keepOpen' | 'chains' | 'world' | 'problems' | 'dead'

/** One finding of a rule; what is absent is as the rule says. */
export interface LintFinding {
  readonly span: Span
  readonly message?: string
  readonly why?: string
  readonly help?: string
  readonly severity?: Severity
  readonly related?: readonly RelatedPlace[]
  readonly witness?: Witness
  readonly fix?: Fix
}

/** Takes a finding. */
export type Report = (finding: LintFinding) => void

/** A lint rule: a pure function of its inputs. The words are lower case without a final stop. */
export interface LintRule {
  readonly id: LintRuleId
  readonly severity: Severity
  /** What is wrong: the message where a finding has none of its own. */
  readonly what: string
  /** Why that matters. */
  readonly why: string
  readonly needs: readonly Need[]
  /** Where the rule tells what to do in general: the help where a finding has none of its own. */
  readonly help?: string
  /** It runs only where the configuration gives it a level, or `--only` names it. */
  readonly isOnDemand?: true
  readonly check: (inputs: LintInputs, report: Report) => void
}

/** The codes of findings that loading or `check` reports too, which a rule takes over. */
export type LintRuleId = LintCode | 'chain-loop' | 'duplicate-rule' | 'unused-chain'
