/** What is fixed for the whole installation. Its own Nest token. */
export abstract class Installation {
  /** P: how many partitions tenants are spread over. */
  abstract readonly partitions: number;
}
