/** The lines of a restore text by table, as texts are compared whose order of tables, comments and counters do not matter. */

/** Returns the lines of each table (`*nat`), without comments and without the counters of chains. */
export function linesByTable(text: string): ReadonlyMap<string, readonly string[]> {
  const tables = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of text.split('\n').filter(one => one !== '' && !one.startsWith('#') && one !== 'COMMIT')) {
    if (line.startsWith('*')) tables.set(line, (lines = []))
    else lines.push(line.replace(/^(:\S+ \S+) .*/, '$1'))
  }
  return tables
}
