/** Help texts as a terminal shows them: paragraphs filled to its width, flags and what they do in two columns. */

/** Columns where standard output is no terminal. */
const PLAIN_WIDTH = 100

/** Longer lines are hard to read, shorter ones hold no flag and its text. */
const WIDEST = 120
const NARROWEST = 50

/** A longer term stands on a line of its own, above its text. */
const LONGEST_TERM = 26

/** A paragraph, a row of a list (`term` is '' where it has none), or a line that stays as it is. */
type Piece =
  | { readonly kind: 'prose'; readonly indent: number; text: string }
  | { readonly kind: 'row'; readonly indent: number; readonly term: string; readonly column: number; text: string }
  | { readonly kind: 'asIs'; readonly text: string }

/**
 * Returns a help text filled to so many columns. Lines of the text that belong together are joined first: those without an indent
 * up to the next blank line; a row `  --flag   what it does` and what stands below its second column. What follows
 * `usage:` and `examples:` up to the next blank line stays as it is.
 */
export function fillHelp(text: string, columns: number = PLAIN_WIDTH): string {
  const width = Math.max(NARROWEST, Math.min(columns, WIDEST))
  return `${text.trimEnd().split(/\n{2,}/).map(block => fillBlock(block, width)).join('\n\n')}\n`
}

function fillBlock(block: string, width: number): string {
  if (/^(?:usage|examples):/.test(block)) return block
  const pieces = readPieces(block.split('\n'))
  const terms = pieces.flatMap(piece => (piece.kind === 'row' && piece.term.length <= LONGEST_TERM ? [piece.term.length] : []))
  const gap = Math.max(0, ...terms)
  return pieces.flatMap(piece => {
    if (piece.kind === 'asIs') return [piece.text]
    if (piece.kind === 'prose') return fill(piece.text, ' '.repeat(piece.indent), ' '.repeat(piece.indent === 0 ? 0 : piece.indent + 2), width)
    return fillRow(piece, piece.indent + gap + 2, width)
  }).join('\n')
}

function fillRow({ indent, term, text }: Extract<Piece, { kind: 'row' }>, column: number, width: number): readonly string[] {
  const head = `${' '.repeat(indent)}${term}`
  const rest = ' '.repeat(column)
  return head.length + 2 > column ? [head, ...fill(text, rest, rest, width)] : fill(text, head.padEnd(column), rest, width)
}

/** Joins the lines that belong together. */
function readPieces(lines: readonly string[]): readonly Piece[] {
  const pieces: Piece[] = []
  for (const line of lines) {
    const indent = line.length - line.trimStart().length
    const last = pieces.at(-1)
    const row = /^ *(\S.*?)( {2,})(?=\S)/.exec(line)
    if (last?.kind === 'row' && indent >= last.column) last.text += ` ${line.trim()}`
    else if (row) pieces.push({ kind: 'row', indent, term: row[1] ?? '', column: row[0].length, text: line.slice(row[0].length) })
    else if (last?.kind === 'prose' && indent === 0 && last.indent === 0) last.text += ` ${line}`
    else if (line.trimStart().startsWith('#')) pieces.push({ kind: 'asIs', text: line })
    else pieces.push({ kind: 'prose', indent, text: line.trim() })
  }
  return pieces
}

/** Fills lines; what stands in backticks is not broken. */
function fill(text: string, first: string, rest: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const [word] of text.matchAll(/(?:`[^`]*`|\S)+/g)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line)
      line = rest
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line]
}
