/** How the parts of the resolver report: one function that appends a diagnostic. */

import type { Diagnostic, DiagnosticCode, RelatedPlace, Severity } from '../diagnostics/diagnostic.ts'
import type { Span } from '../diagnostics/source-file.ts'

/** Reports an error with an optional help. */
export type Complain = (code: DiagnosticCode, span: Span, message: string, help?: string, more?: { readonly severity?: Severity; readonly related?: readonly RelatedPlace[] }) => void

/** Returns a `Complain` that appends to `diagnostics`. */
export function complainTo(diagnostics: Diagnostic[]): Complain {
  return (code, span, message, help, more = {}) => {
    diagnostics.push({ code, severity: more.severity ?? 'error', message, span, related: more.related ?? [], ...(help === undefined ? {} : { help }) })
  }
}
