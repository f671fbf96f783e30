import { RELEASE_IMAGES } from '../../infra/names.ts'

/** Where the image of a version lies in the bucket of releases. */
export function imageKey(version: string): string {
  return `${RELEASE_IMAGES}autovolt-node-${version}.bin`
}

/**
 * The job as nodes take it (firmware/main/jobs.c): three texts. AWS IoT replaces the placeholder by a signed
 * address whenever a node asks for the job. The image itself carries what the node checks it by: its
 * hash, its signature, its project and its version.
 */
export function jobDocument(version: string, place: { region: string; bucket: string }): string {
  const { region, bucket } = place
  const address = `https://s3.${region}.amazonaws.com/${bucket}/${imageKey(version)}`
  return JSON.stringify({
    operation: 'update_firmware',
    version,
    url: `\${aws:iot:s3-presigned-url:${address}}`,
  })
}
