/**
 * The JSON of paths and of the counters of a flow. Packets take the same ways again and again, so a way's text is made once: ways are
 * a tree whose branches are steps. The counters of a flow hang on the ways of its packets, one after the other, in the same manner.
 */

import type { PathStep, Trace } from '../../src/simulate/trace-events.ts'

/** A way up to one of its steps. */
interface Path {
  readonly step: PathStep
  readonly before: Path | undefined
  readonly longer: Map<PathStep, Path>
  /** As JSON, made when it is first asked for. */
  text: string | undefined
  /** What a flow has met whose first packet went this way, made likewise. */
  hits: Hits | undefined
}

/** What the packets of a flow have met so far. */
interface Hits {
  readonly path: Path
  readonly before: Hits | undefined
  readonly longer: Map<Path, Hits>
  /** The counters as JSON, made when they are first asked for. */
  text: string | undefined
}

/** The ways of a flow's packets, the kernel's own packets among them. */
export interface FlowPaths {
  hits: Hits | undefined
}

/** The ways of one step: it belongs to a ruleset, and what hangs on it goes when the ruleset goes. */
let roots = new WeakMap<PathStep, Path>()
let made = 0
/** So many ways and flows are remembered. */
const MOST = 100_000

/** Returns a flow of which no packet was sent yet. */
export function makeFlowPaths(): FlowPaths {
  if (made > MOST) {
    roots = new WeakMap()
    made = 0
  }
  return { hits: undefined }
}

/** Returns a path as JSON, of each step table, chain, and the 1-based rule number or `policy`; counts its steps for the flow. */
export function writePath(steps: readonly PathStep[], flow: FlowPaths): string {
  const path = pathOf(steps)
  if (!path) return '[]'
  flow.hits = withPath(flow.hits, path)
  path.text ??= JSON.stringify(stepsOf(path).map(({ table, chain, number }) => [table, chain, number]))
  return path.text
}

/** Returns how often each rule and policy was hit by the packets of a flow, as JSON. */
export function writeCounters({ hits }: FlowPaths): string {
  if (!hits) return '{}'
  if (hits.text === undefined) {
    const paths: (readonly PathStep[])[] = []
    for (let one: Hits | undefined = hits; one; one = one.before) paths.unshift(stepsOf(one.path))
    hits.text = JSON.stringify(countSteps(paths.flat()))
  }
  return hits.text
}

/** Returns how often each rule and policy was hit, keyed as `filter FORWARD 2`. */
export function countHits(traces: readonly Trace[]): Readonly<Record<string, number>> {
  const steps = (trace: Trace): readonly PathStep[] => [...trace.way.path, ...trace.answers.flatMap(steps)]
  return countSteps(traces.flatMap(steps))
}

function countSteps(steps: readonly PathStep[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { table, chain, number } of steps) {
    const key = `${table} ${chain} ${number}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

function pathOf(steps: readonly PathStep[]): Path | undefined {
  let path: Path | undefined
  for (const step of steps) {
    const known: Path | undefined = path ? path.longer.get(step) : roots.get(step)
    path = known ?? addStep(path, step)
  }
  return path
}

function addStep(before: Path | undefined, step: PathStep): Path {
  const path: Path = { step, before, longer: new Map(), text: undefined, hits: undefined }
  if (before) before.longer.set(step, path)
  else roots.set(step, path)
  made++
  return path
}

function withPath(before: Hits | undefined, path: Path): Hits {
  const known = before ? before.longer.get(path) : path.hits
  if (known) return known
  const hits: Hits = { path, before, longer: new Map(), text: undefined }
  if (before) before.longer.set(path, hits)
  else path.hits = hits
  made++
  return hits
}

function stepsOf(path: Path): readonly PathStep[] {
  const steps: PathStep[] = []
  for (let one: Path | undefined = path; one; one = one.before) steps.push(one.step)
  return steps.reverse()
}
