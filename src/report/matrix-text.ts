/** Who may reach whom, as a table and as JSON. */

import type { MatrixExample } from '../analyze/matrix-examples.ts'
import type { MatrixCell, ReachMatrix } from '../analyze/matrix.ts'
import type { AddressGroup } from '../analyze/matrix-groups.ts'
import { conditionsInWords } from './decider-words.ts'
import { addressesOf, answerWords, conditionWords, groupWords, namesOf, runWords, sizeWords, wrapWords } from './matrix-words.ts'
import type { Paint } from './paint.ts'

/** So many rows and columns, and pieces of a group, are shown where not all are wanted. */
const LINES = 30
const COLUMNS = 12
const PIECES = 6

const HEAD_WIDTH = 12

/** Returns a matrix as a table, its groups, and a last sentence that answers; `all`: every row, column and address. */
export function writeMatrix(matrix: ReachMatrix, title: string, paint: Paint, { all }: { readonly all: boolean }): string {
  const { passage, conditions } = matrix
  const marks = legendOf(matrix)
  const notes = conditions.map((condition, index) => `  ${paint('warning', `~${index + 1}`)}  ${conditionWords(condition, matrix.way)}\n`)
  return [
    `${paint('strong', `${headOf(matrix)}${title}`)}\n\n`, writeTable(matrix, paint, all), '\n', writeGroups(matrix, paint, all),
    ...(marks === '' ? [] : [`\n  ${marks}\n`]), ...notes, ...passage.notes.map(note => `  not followed: ${note}\n`), `\n${answerWords(matrix)}\n`,
  ].join('')
}

/** "ssh (tcp/22)". */
export function headOf({ service: { name, words } }: ReachMatrix): string {
  return name === words ? name : `${name} (${words})`
}

function writeTable({ sources, destinations, cells, groups }: ReachMatrix, paint: Paint, all: boolean): string {
  const [rows, columns] = all ? [sources, destinations] : [sources.slice(0, LINES), destinations.slice(0, COLUMNS)]
  const side = rows.map(of => namesOf(of, groups))
  const heads = columns.map(of => wrapWords(namesOf(of, groups), HEAD_WIDTH))
  const first = Math.max('from'.length, ...side.map(words => Math.min(words.length, HEAD_WIDTH * 2)))
  const widths = heads.map((lines, column) => Math.max(...lines.map(line => line.length), ...cells.map(row => markOf(row[column]).length)))
  const height = Math.max(1, ...heads.map(lines => lines.length))
  const headLines = Array.from({ length: height }, (_, line) => `  ${(line === height - 1 ? 'from' : '').padEnd(first)}  ${heads.map((lines, column) => (lines[line - height + lines.length] ?? '').padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
  const body = rows.flatMap((_, row) => {
    const label = wrapWords(side[row] ?? '', HEAD_WIDTH * 2)
    const marks = columns.map((_column, column) => paintMark(cells[row]?.[column], widths[column] ?? 0, paint)).join('  ')
    return [`  ${paint('strong', (label[0] ?? '').padEnd(first))}  ${marks}`, ...label.slice(1).map(line => `  ${paint('strong', line)}`)]
  })
  const hidden = [...(rows.length < sources.length ? [`${sources.length - rows.length} more rows`] : []), ...(columns.length < destinations.length ? [`${destinations.length - columns.length} more columns`] : [])]
  return [`  ${''.padEnd(first)}  to\n`, ...headLines.map(line => `${paint('strong', line)}\n`), ...body.map(line => `${line.trimEnd()}\n`), ...(hidden.length > 0 ? [`  ... and ${hidden.join(' and ')} (--all shows them)\n`] : [])].join('')
}

function markOf(cell: MatrixCell | undefined): string {
  switch (cell?.kind) {
    case 'yes':
      return 'yes'
    case 'no':
      return '-'
    case 'some':
      return `~${cell.condition === undefined ? '' : cell.condition + 1}`
    default:
      return ''
  }
}

function paintMark(cell: MatrixCell | undefined, width: number, paint: Paint): string {
  const text = markOf(cell).padEnd(width)
  return cell?.kind === 'yes' ? paint('good', text) : cell?.kind === 'some' ? paint('warning', text) : paint('faint', text)
}

function writeGroups(matrix: ReachMatrix, paint: Paint, all: boolean): string {
  const { groups, passage } = matrix
  const shown = all ? groups : groups.slice(0, LINES)
  const everything = addressesOf(matrix)
  const width = Math.max(1, ...shown.map(({ name }) => name.length))
  const lines = shown.map(group => {
    const { isAllBut, pieces } = groupWords(group, everything, passage.space.family)
    const kept = all ? pieces : pieces.slice(0, PIECES)
    const more = pieces.length > kept.length ? ` and ${pieces.length - kept.length} more ranges` : ''
    const addresses = pieces.length === 0 ? 'any address' : `${isAllBut ? 'all but ' : ''}${kept.join(', ')}${more}`
    return `  ${paint('strong', group.name.padEnd(width))}  ${addresses}${isAllBut || pieces.length > 1 ? paint('faint', `  (${sizeWords(group)})`) : ''}\n`
  })
  return [...lines, ...(groups.length > shown.length ? [`  ... and ${groups.length - shown.length} more groups (--all shows them)\n`] : [])].join('')
}

/** What the marks of the table mean, those that stand in it. */
function legendOf({ cells }: ReachMatrix): string {
  const kinds = new Set(cells.flat().map(({ kind }) => kind))
  const words = [
    ...(kinds.has('yes') ? ['yes: all get through'] : []), ...(kinds.has('some') ? ['~: some do, others do not'] : []), ...(kinds.has('no') ? ['-: none does'] : []),
    ...(kinds.has('never') && kinds.size > 1 ? ['empty: none goes this way'] : []),
  ]
  return kinds.size > 1 || kinds.has('some') ? words.join('   ') : ''
}

const PASSES: Readonly<Record<MatrixCell['kind'], string>> = { yes: 'all', no: 'none', some: 'some', never: 'never' }

/** Returns a matrix for JSON: `size` is a number as text, since it may be large. */
export function matrixJson(matrix: ReachMatrix, examples: readonly MatrixExample[]): unknown {
  const { service, way, groups, sources, destinations, cells, conditions, passage } = matrix
  const names = (of: readonly AddressGroup[] | undefined): readonly string[] => (of ?? []).map(({ name }) => name)
  return {
    service: service.name, packets: service.words, way: way.toLowerCase(), whole: true, notes: passage.notes,
    groups: groups.map(group => ({ name: group.name, addresses: group.runs.map(run => runWords(run, passage.space.family)), size: String(group.size) })),
    conditions: conditions.map(condition => conditionWords(condition, way)),
    cells: cells.flatMap((row, at) => row.map((cell, column) => {
      const example = examples.find(one => one.row === at && one.column === column)
      return {
        from: names(sources[at]), to: names(destinations[column]), passes: PASSES[cell.kind], condition: cell.kind === 'some' ? (cell.condition ?? null) : null,
        example: example?.probe ?? null, exampleHolds: example && example.conditions.length > 0 ? conditionsInWords(example.conditions) : null,
      }
    })),
  }
}
