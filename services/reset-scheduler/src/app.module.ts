/** Nothing is asked of the scheduler over HTTP but its health: its loops come from the composition root. */
export class AppModule {}
