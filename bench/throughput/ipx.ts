/**
 * The rival: ipx (native sharp) as its documentation starts it, in a process of its own. Prints its port.
 *
 *     node bench/throughput/ipx.ts <host of the originals>
 */
import { createServer } from "node:http";
import { createIPX, createIPXNodeServer, ipxHttpStorage } from "ipx";

const storage = ipxHttpStorage({ domains: [process.argv[2] ?? ""] });
const server = createServer(createIPXNodeServer(createIPX({ storage })));
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) console.log(address.port);
});
