/** The formats that `5x5 lint` prints, each loaded when it is asked for. */

import type { LintReport } from '../../src/lint/lint-report.ts'

/** Writes a report. */
export type WriteReport = (report: LintReport) => string

const FORMATS = {
  concise: async () => (await import('../../src/report/concise.ts')).conciseReport,
  json: async () => (await import('../../src/report/lint-json.ts')).lintJson,
  jsonl: async () => (await import('../../src/report/lint-json.ts')).lintJsonLines,
  sarif: async () => (await import('../../src/report/sarif.ts')).sarifReport,
  github: async () => (await import('../../src/report/github.ts')).githubAnnotations,
  gitlab: async () => (await import('../../src/report/gitlab.ts')).gitlabReport,
  junit: async () => (await import('../../src/report/junit.ts')).junitReport,
  checkstyle: async () => (await import('../../src/report/checkstyle.ts')).checkstyleReport,
} as const satisfies Readonly<Record<string, () => Promise<WriteReport>>>

/** A format by its name; `pretty` is for a human. */
export type FormatName = keyof typeof FORMATS | 'pretty'

/** All names, in the order of the help. */
export const FORMAT_NAMES: readonly FormatName[] = ['pretty', 'concise', 'json', 'jsonl', 'sarif', 'github', 'gitlab', 'junit', 'checkstyle']

/** Returns the writer of a format. */
export async function formatWriter(name: Exclude<FormatName, 'pretty'>): Promise<WriteReport> {
  return FORMATS[name]()
}
