/** Variables in compose files: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}`, `${NAME:?message}`; `$$` is a dollar. Source: compose-spec 12-interpolation.md. */

/** Values by name. */
export type Variables = Readonly<Record<string, string>>

/** What is wrong with a variable. */
export interface VariableProblem {
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly help?: string
}

/** Returns a text with its variables filled in; one that is not set is empty, and complained of. */
export function fillVariables(text: string, variables: Variables, complain: (problem: VariableProblem) => void): string {
  if (!text.includes('$')) return text
  let filled = ''
  let at = 0
  while (at < text.length) {
    const dollar = text.indexOf('$', at)
    if (dollar === -1) return filled + text.slice(at)
    filled += text.slice(at, dollar)
    const [whole, value] = readVariable(text.slice(dollar), variables, complain)
    filled += value
    at = dollar + whole
  }
  return filled
}

/** Returns how many characters a variable takes, and what stands for it. */
function readVariable(text: string, variables: Variables, complain: (problem: VariableProblem) => void): readonly [number, string] {
  if (text.startsWith('$$')) return [2, '$']
  const plain = /^\$([A-Za-z_]\w*)/.exec(text)
  if (plain?.[1] !== undefined) return [plain[0].length, valueOf(plain[1], variables, complain)]
  const end = endOfBraces(text)
  const [, name, colon = '', operator, rest = ''] = /^\$\{([A-Za-z_]\w*)(?:(:?)([-+?])([\s\S]*))?$/.exec(text.slice(0, end - 1)) ?? []
  if (end === -1 || name === undefined) {
    complain({ severity: 'error', message: `\`${text}\` is not a variable`, help: 'write `$$` for a dollar' })
    return [text.length, text]
  }
  const value = variables[name]
  const isSet = value !== undefined && (colon === '' || value !== '')
  if (operator === '+') return [end, isSet ? fillVariables(rest, variables, complain) : '']
  if (isSet) return [end, value]
  if (operator === '-') return [end, fillVariables(rest, variables, complain)]
  if (operator === '?') complain({ severity: 'error', message: `variable \`${name}\` must be set${rest === '' ? '' : `: ${rest}`}` })
  return [end, operator === '?' ? '' : valueOf(name, variables, complain)]
}

function valueOf(name: string, variables: Variables, complain: (problem: VariableProblem) => void): string {
  const value = variables[name]
  if (value === undefined) complain({ severity: 'warning', message: `variable \`${name}\` is not set: it is empty`, help: 'set it in a file `.env` beside the compose file, or give it a value there: `${NAME:-value}`' })
  return value ?? ''
}

/** Braces may contain variables with braces. */
function endOfBraces(text: string): number {
  let depth = 0
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}' && --depth === 0) return at + 1
  }
  return -1
}
