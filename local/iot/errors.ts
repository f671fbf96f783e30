/** An error of the AWS IoT control plane, as its REST API answers it. */
export class IotError extends Error {
  readonly status: number
  readonly type: string

  constructor(status: number, type: string, message: string) {
    super(message)
    this.status = status
    this.type = type
  }
}
