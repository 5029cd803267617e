/** Which events of a trace had a part in what became of the packet: a trace is quiet about the others. */

import type { TraceEvent } from '../simulate/trace-events.ts'

/** Returns the matching rules that decided something: a verdict, a change, a log line, or a jump to where that happened. */
export function eventsThatMatter(events: readonly TraceEvent[]): ReadonlySet<TraceEvent> {
  const matters = new Set<TraceEvent>()
  let open: { readonly event: TraceEvent; readonly depth: number }[] = []
  let last: TraceEvent | undefined
  const keep = (event: TraceEvent | undefined) => {
    if (event) matters.add(event)
    for (const jump of open) matters.add(jump.event)
  }
  for (const event of events) {
    if (event.kind === 'table') open = []
    else if (event.kind === 'rule') {
      const { depth } = event.place
      open = open.filter(jump => jump.depth < depth)
      last = event
      if (decides(event)) keep(event)
      if (event.result.kind === 'jump' || event.result.kind === 'goto') open.push({ event, depth })
    } else if ((event.kind === 'rewrite' && event.by.kind === 'rule') || (event.kind === 'nat' && event.by)) keep(last)
  }
  return matters
}

function decides(event: Extract<TraceEvent, { kind: 'rule' }>): boolean {
  const { result, place, observed } = event
  if (observed !== undefined || hasUnknownTarget(event)) return true
  if (result.kind === 'return') return place.depth === 0
  return result.kind !== 'continue' && result.kind !== 'jump' && result.kind !== 'goto'
}

/** Tells whether a rule's target is not known: it was taken to do nothing. */
export function hasUnknownTarget({ place }: Extract<TraceEvent, { kind: 'rule' }>): boolean {
  const { target } = place.rule
  return target?.kind === 'target' && target.words !== undefined
}
