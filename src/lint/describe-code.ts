/** What a code means, whether a lint rule or a reader reports it. */

import type { DiagnosticCode, Severity } from '../diagnostics/diagnostic.ts'
import { CHECK_CODES } from './check-codes.ts'
import type { CheckCode } from './check-codes.ts'
import { OWN_CODES } from './own-codes.ts'
import { RULES } from './registry.ts'

/** A code in words: lower case without a final stop. */
export interface CodeDescription {
  readonly code: DiagnosticCode
  readonly kind: 'lint' | 'check'
  readonly severity: Severity
  readonly what: string
  readonly why: string
  readonly help?: string
}

/** Returns what a code means. */
export function describeCode(code: DiagnosticCode): CodeDescription {
  const rule = RULES.find(({ id }) => id === code)
  if (rule) return { code, kind: 'lint', severity: rule.severity, what: rule.what, why: rule.why, ...(rule.help === undefined ? {} : { help: rule.help }) }
  const own = OWN_CODES.find(({ id }) => id === code)
  if (own) return { code, kind: 'lint', severity: 'warning', what: own.what, why: own.why }
  const { what, why } = CHECK_CODES[code as CheckCode] ?? { what: code.replaceAll('-', ' '), why: 'the message of the finding says why' }
  return { code, kind: 'check', severity: CHECK_NOTES.includes(code) ? 'note' : CHECK_WARNINGS.includes(code) ? 'warning' : 'error', what, why }
}

const CHECK_NOTES: readonly DiagnosticCode[] = ['backends-differ', 'foreign-chain', 'no-hairpin', 'one-family', 'published-on-all-addresses', 'silent-change', 'unused-name']
const CHECK_WARNINGS: readonly DiagnosticCode[] = ['address-on-port', 'empty-bridge', 'gateway-off-link', 'missing-key', 'no-default-route', 'no-service', 'port-not-published', 'repeated-table']

/** Returns all codes: rules in their order, then those of reading and `check`. */
export function allCodes(): readonly DiagnosticCode[] {
  return [...RULES.map(({ id }) => id), ...OWN_CODES.map(({ id }) => id), ...(Object.keys(CHECK_CODES) as CheckCode[])]
}
