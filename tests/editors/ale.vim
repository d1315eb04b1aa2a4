" Vim with ALE: asks a sentence and jumps to the answer, as a user does.
" vim -Nu ale.vim -i NONE -n -es FILE ; exit status 1 where anything is wrong. The log goes to $EDITOR_TEST_LOG.
set nocompatible hidden
packadd! ale
filetype plugin on
let g:ale_linters = {'python': ['codewhere']}
let g:ale_lint_on_enter = 0
let s:failed = 0

function! Check(name, ok, detail) abort
  call writefile([(a:ok ? 'ok   ' : 'FAIL ') . a:name . '  ' . string(a:detail)], $EDITOR_TEST_LOG, 'a')
  let s:failed = s:failed || !a:ok
endfunction

function! Wait(condition, seconds) abort
  let l:tries = a:seconds * 10
  while !eval(a:condition) && l:tries > 0
    sleep 100m
    let l:tries -= 1
  endwhile
  return eval(a:condition)
endfunction

" The value of docs/editors.md, which goes over two lines.
function! ProjectRoot() abort
  let l:text = join(map(readfile($EDITOR_TEST_DOCS), {_, line -> substitute(line, '^\\', '', '')}), ' ')
  return eval(matchstr(l:text, "'project_root': \\zs{buffer .\\{-}\\[0\\])}"))
endfunction

function! Test() abort
  call ale#linter#Define('python', {
  \ 'name': 'codewhere',
  \ 'lsp': 'stdio',
  \ 'executable': $EDITOR_TEST_PYTHON,
  \ 'command': '%e ' . $EDITOR_TEST_SERVER,
  \ 'project_root': ProjectRoot(),
  \ 'language': 'python',
  \ })
  execute 'edit' $EDITOR_TEST_PROJECT . '/src/config.py'
  setfiletype python
  ALELint
  sleep 6
  ALESymbolSearch send a failed request again until it succeeds
  call Check('preview window', Wait('&filetype is# "ale-preview-selection"', 20), getline(1, '$'))
  execute "normal \<CR>"
  call Check('jumped to the file', expand('%:p') =~# 'src/net/retry.py$', expand('%:p'))
  call Check('jumped to the line', getline('.') =~# 'def run(', getline('.'))
endfunction

function! Main() abort
  try
    call Test()
  catch
    call Check('script', 0, v:exception . ' ' . v:throwpoint)
  endtry
  execute s:failed ? 'cquit!' : 'qall!'
endfunction
autocmd VimEnter * call Main()
