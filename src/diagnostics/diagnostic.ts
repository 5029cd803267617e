/** What a reader or an analysis has to say about a text: plain data with a stable code. */

import type { DockerCode } from './docker-code.ts'
import type { LintCode } from './lint-code.ts'
import type { NetworkCode } from './network-code.ts'
import type { Span } from './source-file.ts'

/** error = iptables-restore or the kernel refuses it; warning = it loads and is likely wrong; note = worth knowing. */
export type Severity = 'error' | 'warning' | 'note'

/** Every code, in alphabetical order, and those of the linter. A code is stable: users filter by it. Each has a fixture. */
export type DiagnosticCode =
  | 'address-on-port'
  | DockerCode
  | LintCode
  | NetworkCode
  | 'ambiguous-option'
  | 'attached-value'
  | 'backends-differ'
  | 'bad-address'
  | 'bad-counters'
  | 'bad-limit'
  | 'bad-option'
  | 'bad-prefix'
  | 'bad-service'
  | 'bad-value'
  | 'bad-yaml'
  | 'chain-depth'
  | 'carriage-return'
  | 'chain-exists'
  | 'chain-in-use'
  | 'chain-loop'
  | 'chain-name'
  | 'command-line'
  | 'dangling-peer'
  | 'dead-sentence'
  | 'docker-zone'
  | 'duplicate-address'
  | 'duplicate-clause'
  | 'duplicate-key'
  | 'duplicate-name'
  | 'duplicate-option'
  | 'duplicate-rule'
  | 'empty-bridge'
  | 'empty-file'
  | 'empty-match'
  | 'gateway-off-link'
  | 'mixed-families'
  | 'include-failed'
  | 'list-loop'
  | 'load-ends'
  | 'misplaced-clause'
  | 'misplaced-device'
  | 'misplaced-match'
  | 'misplaced-target'
  | 'missing-addresses'
  | 'missing-commit'
  | 'missing-option'
  | 'missing-value'
  | 'never-matches'
  | 'no-default-route'
  | 'not-a-ruleset'
  | 'not-invertible'
  | 'old-negation'
  | 'one-family'
  | 'no-hairpin'
  | 'open-quote'
  | 'option-conflict'
  | 'outside-table'
  | 'policy-syntax'
  | 'protocol-needed'
  | 'redundant-rule'
  | 'repeated-table'
  | 'rule-number'
  | 'shadowed-rule'
  | 'shell-script'
  | 'silent-change'
  | 'stray-words'
  | 'unknown-chain'
  | 'unknown-command'
  | 'unknown-device'
  | 'unknown-extension'
  | 'unknown-key'
  | 'unknown-match'
  | 'unknown-name'
  | 'unknown-option'
  | 'unknown-policy'
  | 'unknown-table'
  | 'unknown-target'
  | 'unreadable-file'
  | 'unreachable-chain'
  | 'unused-chain'
  | 'unused-name'
  | 'unused-policy'

/** A place that explains a diagnostic: `message` is lower case without a final stop. */
export interface RelatedPlace {
  readonly span: Span
  readonly message: string
}

/** Text edits that mend the defect; `safe` ones do not change what the ruleset means. */
export interface Fix {
  readonly kind: 'safe' | 'suggestion'
  readonly message: string
  readonly edits: readonly { readonly span: Span; readonly text: string }[]
}

/** A packet for which a finding holds, in the packet notation, and the places that decide its way, in order. */
export interface Witness {
  readonly packet: string
  readonly path: readonly RelatedPlace[]
}

/** One finding. `message` says what, `why` and `related` why, `help` and `fix` what to do. */
export interface Diagnostic {
  readonly code: DiagnosticCode
  readonly severity: Severity
  readonly message: string
  readonly span: Span
  readonly why?: string
  readonly help?: string
  readonly related: readonly RelatedPlace[]
  readonly witness?: Witness
  readonly fix?: Fix
  /** The backend that alone says so; absent where both do. */
  readonly backend?: 'legacy' | 'nft'
}

/** Notes something to say at a place. */
export type Report = (code: DiagnosticCode, severity: Severity, span: Span, message: string, more?: Pick<Diagnostic, 'help'> & Partial<Pick<Diagnostic, 'related'>>) => void

/** Returns a function that collects diagnostics. */
export function reportInto(diagnostics: Diagnostic[]): Report {
  return (code, severity, span, message, more = {}) => void diagnostics.push({ code, severity, span, message, related: [], ...more })
}

/** Throws: a bug of ours, never the user's input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug in fivebyfive: ${message}`)
}

/** Throws when a union was not handled exhaustively. */
export function assertNever(value: never): never {
  throw new Error(`bug in fivebyfive: unexpected ${JSON.stringify(value)}`)
}
