/** Who may reach whom as a graph: sources to the left, destinations to the right, an edge for each pair that gets through. */

import type { ReachMatrix } from '../analyze/matrix.ts'
import type { AddressGroup } from '../analyze/matrix-groups.ts'
import { addressesOf, answerWords, conditionWords, groupWords, namesOf, wrapWords } from './matrix-words.ts'
import { xmlText } from './xml-text.ts'

/** So many pieces of a group's addresses are written into its box. */
const PIECES = 3

const NOTE_WIDTH = 110

/** A box of the graph: groups that do the same on this side. */
interface Box {
  readonly title: string
  readonly lines: readonly string[]
}

interface Edge {
  readonly from: number
  readonly to: number
  /** 1-based; undefined where all get through, 0 where a condition was not looked for. */
  readonly condition: number | undefined
}

/** Returns a matrix as a graph for graphviz. */
export function matrixDot(matrix: ReachMatrix, title: string): string {
  const { sources, destinations } = matrix
  const node = (id: string, { title: name, lines }: Box): string => `  ${id} [label=${quoted([name, ...lines].join('\n'))}]\n`
  return [
    `digraph ${quoted(matrix.service.name)} {\n`,
    `  graph [rankdir=LR, ranksep=2, labelloc=t, fontname="sans-serif", label=${quoted([title, ...notesOf(matrix)].join('\n'))}]\n`,
    '  node [shape=box, style="rounded,filled", fillcolor="#f4f6f8", color="#8895a7", fontname="sans-serif", fontsize=11]\n',
    '  edge [color="#2e7d32", fontname="sans-serif", fontsize=10]\n',
    ...boxesOf(matrix, sources).map((box, index) => node(`from${index}`, { ...box, title: `from ${box.title}` })),
    ...boxesOf(matrix, destinations).map((box, index) => node(`to${index}`, { ...box, title: `to ${box.title}` })),
    sides('min', 'from', sources.length), sides('max', 'to', destinations.length),
    ...edgesOf(matrix).map(({ from, to, condition }) => `  from${from} -> to${to}${condition === undefined ? '' : ` [style=dashed, color="#c77700"${condition === 0 ? '' : `, label=${quoted(`~${condition}`)}`}]`}\n`),
    '}\n',
  ].join('')
}

/** The answer, and what the labels of edges stand for. */
function notesOf(matrix: ReachMatrix): readonly string[] {
  return [answerWords(matrix), ...matrix.conditions.map((condition, index) => `~${index + 1} ${conditionWords(condition, matrix.way)}`)].flatMap(note => wrapWords(note, NOTE_WIDTH))
}

function sides(rank: 'min' | 'max', name: string, size: number): string {
  return size === 0 ? '' : `  { rank=${rank}; ${Array.from({ length: size }, (_, index) => `${name}${index}`).join('; ')} }\n`
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

function boxesOf(matrix: ReachMatrix, sides: readonly (readonly AddressGroup[])[]): readonly Box[] {
  const everything = addressesOf(matrix)
  return sides.map(groups => ({
    title: namesOf(groups, matrix.groups),
    lines: groups.slice(0, PIECES).map(group => {
      const { isAllBut, pieces } = groupWords(group, everything, matrix.passage.space.family)
      const more = pieces.length > PIECES ? ` and ${pieces.length - PIECES} more` : ''
      return pieces.length === 0 ? 'any address' : `${isAllBut ? 'all but ' : ''}${pieces.slice(0, PIECES).join(', ')}${more}`
    }).concat(groups.length > PIECES ? [`and ${groups.length - PIECES} more groups`] : []),
  }))
}

function edgesOf({ cells }: ReachMatrix): readonly Edge[] {
  return cells.flatMap((row, from) => row.flatMap((cell, to): Edge[] => {
    if (cell.kind === 'yes') return [{ from, to, condition: undefined }]
    return cell.kind === 'some' ? [{ from, to, condition: cell.condition === undefined ? 0 : cell.condition + 1 }] : []
  }))
}

const LINE = 16
const CHAR = 6.7
const GAP = 14
const MARGIN = 24
const MIDDLE = 260
const WIDEST = 56

/** Returns matrices as one drawing, one below the other: an SVG file that needs nothing else. */
export function matrixSvg(matrices: readonly { readonly matrix: ReachMatrix; readonly title: string }[]): string {
  const panels = matrices.map(({ matrix, title }) => drawPanel(matrix, title))
  const width = Math.max(0, ...panels.map(panel => panel.width))
  const height = panels.reduce((sum, panel) => sum + panel.height, 0)
  let y = 0
  const placed = panels.map(panel => {
    const at = y
    y += panel.height
    return `<g transform="translate(0 ${at})">\n${panel.body}</g>\n`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">\n`,
    `<title>${xmlText(matrices.map(({ title }) => title).join('; '))}</title>\n<rect width="100%" height="100%" fill="#ffffff"/>\n`,
    '<defs><marker id="all" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#2e7d32"/></marker>',
    '<marker id="some" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#c77700"/></marker></defs>\n',
    ...placed, '</svg>\n',
  ].join('')
}

interface Panel {
  readonly width: number
  readonly height: number
  readonly body: string
}

interface Placed extends Box {
  readonly y: number
  readonly height: number
}

function drawPanel(matrix: ReachMatrix, title: string): Panel {
  const [left, right] = [column(boxesOf(matrix, matrix.sources)), column(boxesOf(matrix, matrix.destinations))]
  const [leftWidth, rightWidth] = [widthOf(left), widthOf(right)]
  const top = MARGIN + 2 * LINE + GAP
  const rightX = MARGIN + leftWidth + MIDDLE
  const bottom = top + Math.max(heightOf(left), heightOf(right)) + GAP
  const notes = notesOf(matrix)
  const width = Math.max(rightX + rightWidth, ...[title, ...notes].map(line => MARGIN + line.length * CHAR)) + MARGIN
  const body = [
    `<text x="${MARGIN}" y="${MARGIN + LINE - 4}" font-size="14" font-weight="bold">${xmlText(title)}</text>\n`,
    `<text x="${MARGIN}" y="${top - 6}" fill="#5b6778">from</text>\n<text x="${rightX}" y="${top - 6}" fill="#5b6778">to</text>\n`,
    ...edgesOf(matrix).map(edge => drawEdge(edge, { left, right, top, fromX: MARGIN + leftWidth, toX: rightX })),
    ...left.map(box => drawBox(box, MARGIN, top, leftWidth)), ...right.map(box => drawBox(box, rightX, top, rightWidth)),
    ...notes.map((note, index) => `<text x="${MARGIN}" y="${bottom + (index + 1) * LINE}">${xmlText(note)}</text>\n`),
  ].join('')
  return { width: Math.ceil(width), height: bottom + (notes.length + 1) * LINE + MARGIN, body }
}

/** Places boxes below each other. */
function column(boxes: readonly Box[]): readonly Placed[] {
  let y = 0
  return boxes.map(box => {
    const lines = box.lines.flatMap(line => wrapWords(line, WIDEST))
    const placed = { title: box.title, lines, y, height: (lines.length + 1) * LINE + 10 }
    y += placed.height + GAP
    return placed
  })
}

function widthOf(boxes: readonly Placed[]): number {
  return Math.ceil(Math.max(60, ...boxes.flatMap(({ title, lines }) => [title.length * CHAR * 1.1, ...lines.map(line => line.length * CHAR)])) + 20)
}

function heightOf(boxes: readonly Placed[]): number {
  const last = boxes.at(-1)
  return last ? last.y + last.height : 0
}

function drawBox({ title, lines, y, height }: Placed, x: number, top: number, width: number): string {
  return [
    `<rect x="${x}" y="${top + y}" width="${width}" height="${height}" rx="6" fill="#f4f6f8" stroke="#8895a7"/>\n`,
    `<text x="${x + 10}" y="${top + y + LINE}" font-weight="bold">${xmlText(title)}</text>\n`,
    ...lines.map((line, index) => `<text x="${x + 10}" y="${top + y + LINE * (index + 2)}">${xmlText(line)}</text>\n`),
  ].join('')
}

interface Places {
  readonly left: readonly Placed[]
  readonly right: readonly Placed[]
  readonly top: number
  readonly fromX: number
  readonly toX: number
}

/** Edges leave and enter a box spread over its height, in the order of their other ends. */
function drawEdge({ from, to, condition }: Edge, { left, right, top, fromX, toX }: Places): string {
  const [one, other] = [left[from], right[to]]
  if (!one || !other) return ''
  const y1 = top + one.y + (one.height * (to + 1)) / (right.length + 1)
  const y2 = top + other.y + (other.height * (from + 1)) / (left.length + 1)
  const bend = (toX - fromX) / 2
  const path = `M${fromX} ${y1.toFixed(1)}C${fromX + bend} ${y1.toFixed(1)} ${toX - bend} ${y2.toFixed(1)} ${toX} ${y2.toFixed(1)}`
  const label = condition === undefined || condition === 0 ? '' : `<text x="${fromX + 8}" y="${(y1 - 3).toFixed(1)}" font-size="9" fill="#c77700">~${condition}</text>\n`
  return `<path d="${path}" fill="none" stroke="${condition === undefined ? '#2e7d32' : '#c77700'}" stroke-width="1.3"${condition === undefined ? ' marker-end="url(#all)"' : ' stroke-dasharray="5 3" marker-end="url(#some)"'}/>\n${label}`
}
