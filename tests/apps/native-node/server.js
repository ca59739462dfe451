import { createServer } from "node:http";
import bcrypt from "bcrypt";
import sharp from "sharp";

const server = createServer(async (request, answer) => {
  const red = sharp({ create: { width: 40, height: 20, channels: 3, background: "red" } });
  const { width, height, format } = (await red.webp().toBuffer({ resolveWithObject: true })).info;
  const fits = await bcrypt.compare("secret", await bcrypt.hash("secret", 4));
  answer.end(`${format} of ${width}x${height}, password ${fits}`);
});
server.listen(process.env.PORT);
