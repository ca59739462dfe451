<?php require 'inc/menu.inc'; ?>
<h1><?= htmlspecialchars($menu[$_GET['dish'] ?? 0]) ?></h1>
