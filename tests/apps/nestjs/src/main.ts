import { Controller, Get, Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";

@Injectable()
class Lamps {
  lit(): string {
    return "three lamps are lit";
  }
}

@Controller("lamps")
class LampsController {
  constructor(private readonly lamps: Lamps) {}

  @Get()
  all(): string {
    return this.lamps.lit();
  }
}

@Module({ controllers: [LampsController], providers: [Lamps] })
class AppModule {}

async function bootstrap(): Promise<void> {
  const app = await NestFactory.create(AppModule);
  await app.listen(process.env.PORT ?? 3000);
}

bootstrap();
