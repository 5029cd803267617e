/** The YAML that `5x5 snapshot` writes: words that need quotes, devices on one line, blocks of text. */

/** A value on one line: a text, or a list of texts. */
export type FlowValue = string | number | boolean | readonly string[]

const PLAIN = /^[A-Za-z0-9_./][A-Za-z0-9_./:+-]*$/

/** Returns a text as YAML reads it back, on one line. */
export function yamlText(text: string): string {
  return PLAIN.test(text) && !text.endsWith(':') ? text : JSON.stringify(text)
}

/** Returns a text with spaces as an item of a list on lines of its own. */
export function yamlItem(text: string): string {
  return /^[A-Za-z0-9_.][\w ./:+=%-]*$/.test(text) && !/:( |$)/.test(text) ? text : JSON.stringify(text)
}

/** Returns a mapping on one line: `{ kind: bridge, addresses: [192.0.2.1/24] }`. */
export function yamlFlow(entries: readonly (readonly [string, FlowValue])[]): string {
  const written = entries.map(([key, value]) => `${key}: ${typeof value === 'object' ? `[${value.map(yamlText).join(', ')}]` : yamlText(String(value))}`)
  return written.length === 0 ? '{}' : `{ ${written.join(', ')} }`
}

/** Returns a key with a text of several lines, indented by two more spaces; nothing where the text is empty. */
export function yamlBlock(key: string, text: string): readonly string[] {
  const lines = text.trimEnd().split('\n')
  return text.trim() === '' ? [] : [`${key}: |`, ...lines.map(line => (line === '' ? '' : `  ${line}`))]
}

/** Returns a key with a list on lines of its own; nothing where the list is empty. */
export function yamlList(key: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`${key}:`, ...items.map(item => `  - ${yamlItem(item)}`)]
}

/** Returns a key with a list that is known to be empty where it is, which says more than no key. */
export function yamlKnownList(key: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [`${key}: []`] : yamlList(key, items)
}

/** Returns a key with a mapping whose values are written already; nothing where it is empty. */
export function yamlMapping(key: string, entries: readonly (readonly [string, string])[]): readonly string[] {
  return entries.length === 0 ? [] : [`${key}:`, ...entries.map(([name, value]) => `  ${yamlText(name)}: ${value}`)]
}

/** Returns lines two spaces further to the right. */
export function indented(lines: readonly string[]): readonly string[] {
  return lines.map(line => (line === '' ? '' : `  ${line}`))
}
