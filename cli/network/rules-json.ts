/** Generated rules as JSON. */

import type { Diagnostic } from '../../src/diagnostics/diagnostic.ts'
import { jsonReport } from '../../src/report/json.ts'
import type { HostRules } from '../docker/host-rules.ts'

/** Returns the value to print. */
export function rulesJson(rules: readonly HostRules[], diagnostics: readonly Diagnostic[], assumptions: readonly string[] = []): object {
  const sources = [...new Set(diagnostics.map(({ span }) => span.source))]
  return {
    rules: Object.fromEntries(rules.map(({ family, lines, source }) => [family, {
      text: source.text,
      rules: lines.flatMap(({ table, chain, text, step }) => (text.startsWith('-A') ? [{ table, chain, rule: text, reason: step?.reason ?? null, for: step?.owner ?? null }] : [])),
    }])),
    assumptions,
    ...jsonReport(sources.map(source => ({ sources: [source], partial: false, diagnostics: diagnostics.filter(({ span }) => span.source === source) }))),
  }
}
