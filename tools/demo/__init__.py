"""The demo basin 示例流域: where things lie (places), how water and loads run (story), and the files (draw_demo)."""
