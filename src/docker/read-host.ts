/** A compose file or inspections, and what is known of the daemon -> the host: the one way from texts to networks, endpoints and ports. */

import type { Diagnostic } from '../diagnostics/diagnostic.ts'
import type { SourceFile } from '../diagnostics/source-file.ts'
import { assembleHost } from './assemble.ts'
import { readCompose } from './compose.ts'
import { readDaemonJson } from './daemon-json.ts'
import { defaultOptions } from './daemon-options.ts'
import type { Engine } from './engine.ts'
import { looksLikeInspection, readInspections } from './inspect.ts'
import type { Variables } from './interpolate.ts'
import type { DockerHost } from './model.ts'
import type { HostPlan } from './plan.ts'

/** What a host is read from. */
export interface HostSources {
  readonly compose: SourceFile
  /** Further inspections, where `compose` is one. */
  readonly inspections?: readonly SourceFile[]
  readonly daemon?: SourceFile
  readonly engine: Engine
  /** Names the project where the file does not. */
  readonly directory: string
  readonly variables?: Variables
}

/** The host, everything there is to say about its description, and the keys that are of no matter for packets. */
export interface HostReading {
  readonly value: DockerHost
  readonly plan: HostPlan
  readonly diagnostics: readonly Diagnostic[]
  readonly ignored: readonly string[]
}

/** Reads a host. What is wrong is reported and left out; what the engine refuses too. */
export function readHost({ compose, inspections = [], daemon, engine, directory, variables = {} }: HostSources): HostReading {
  const options = daemon ? readDaemonJson(daemon, defaultOptions(engine), engine) : { value: defaultOptions(engine), diagnostics: [] }
  const reading = looksLikeInspection(compose) ? { ...readInspections([compose, ...inspections], engine, options.value), ignored: [] } : readCompose(compose, { engine, options: options.value, directory, variables })
  const host = assembleHost(reading.value)
  return { value: host.value, plan: reading.value, diagnostics: [...options.diagnostics, ...reading.diagnostics, ...host.diagnostics], ignored: reading.ignored }
}
