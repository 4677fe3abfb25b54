/** The request of the page in the words of those who want to make it themselves. */

export interface Snippet {
  readonly name: string;
  readonly code: string;
}

export interface Request {
  /** The service's address, without a slash at its end. */
  readonly service: string;
  /** As in the URL contract; undefined for an upload. */
  readonly source: string | undefined;
  readonly size: number;
  readonly format: string;
  /** The whole URL of the thumbnail, signed if there is a key; for an upload that of the POST. */
  readonly url: string;
  /** The same for the thumbnail as an array. */
  readonly npyUrl: string;
}

export function snippets({ service, source, size, format, url, npyUrl }: Request): Snippet[] {
  const text = JSON.stringify;
  const upload = source === undefined;
  const photo = upload ? "await (await fetch(photoUrl)).blob()" : text(source);
  return [
    {
      name: "curl",
      code: `curl -o thumbnail.${format} ${upload ? "--data-binary @photo.jpg " : ""}${shellQuote(url)}`,
    },
    {
      name: "TypeScript",
      code: `import { createClient } from "thumbnet-edge/client";

const thumbnet = createClient(${text(service)});
const photo = ${photo};
const { bytes } = await thumbnet.thumbnail(photo, { size: ${size}, format: ${text(format)} });
const { predictions } = await thumbnet.classify(photo, { size: ${size}, top: 5 });`,
    },
    {
      name: "Python",
      code: `import io, urllib.request
import numpy as np

url = ${text(npyUrl)}
request = urllib.request.Request(url${upload ? ', data=open("photo.jpg", "rb").read()' : ""})
thumbnail = np.load(io.BytesIO(urllib.request.urlopen(request).read()))  # uint8 (${size}, ${size}, 3)`,
    },
  ];
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
