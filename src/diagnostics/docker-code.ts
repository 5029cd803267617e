/** The codes of what there is to say about a docker host: mistakes in its description, and what its rules will surprise with. */

/** In alphabetical order; each has its fixture in fixtures/docker. */
export type DockerCode =
  | 'address-in-use'
  | 'dependency-loop'
  | 'engine-refuses'
  | 'icc-not-enforced'
  | 'internal-network-publishes'
  | 'not-modelled'
  | 'overlapping-subnets'
  | 'port-claimed-twice'
  | 'published-on-all-addresses'
  | 'published-port-bypasses-input'
  | 'unknown-network'
  | 'unknown-service'
